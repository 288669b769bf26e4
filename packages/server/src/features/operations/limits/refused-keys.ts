/**
 * The largest number of limits to remember. It bounds the memory that an attacker can fill. If an
 * exhausted limit was evicted, its next use costs one write instead of one read.
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
 * If this memory contains a limit that applies to an attempt, Keystile first reads all limits of
 * the attempt from the database. If one of them is still exhausted, Keystile refuses the attempt
 * and writes nothing. So a flood of refused attempts costs only reads. Other attempts are counted
 * without this read.
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
