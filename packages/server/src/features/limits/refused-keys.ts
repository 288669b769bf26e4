/**
 * The largest number of limits to remember. It bounds the memory that an attacker can fill. The
 * next use of an evicted limit costs one write instead of one read.
 */
const maxKeys = 10_000

/** The limits that were exhausted when this process last used them. */
export interface RefusedKeys {
  has(key: string): boolean
  /**
   * Remembers the limits in `refused`, and forgets all other limits in `keys`.
   *
   * @param refused the members of `keys` whose limits are exhausted now
   */
  remember(keys: readonly string[], refused: readonly string[]): void
}

/**
 * Creates a memory of exhausted limits. A full memory evicts the least recently refused limit.
 *
 * To count an attempt, Keystile first reads a limit that is in this memory, and writes it only if
 * it has refilled. So a flood of refused attempts costs only reads. Keystile writes a limit that is
 * not in this memory without reading it first.
 */
export function createRefusedKeys(): RefusedKeys {
  const known = new Set<string>()
  return {
    has: (key) => known.has(key),
    remember(keys, refused) {
      for (const key of keys) known.delete(key)
      for (const key of refused) known.add(key) // a set keeps the order of insertion
      for (const oldest of known) {
        if (known.size <= maxKeys) break
        known.delete(oldest)
      }
    },
  }
}
