/**
 * Bounds the memory that an attacker can fill. A limit that was dropped costs one write instead of
 * one read at its next use.
 */
const maxKeys = 10_000

/** The limits that were exhausted when this process last looked. */
export interface RefusedKeys {
  has(key: string): boolean
  /**
   * Updates what is known of `keys`.
   *
   * @param refused the ones of `keys` that are exhausted now
   */
  remember(keys: readonly string[], refused: readonly string[]): void
}

/**
 * Remembers exhausted limits, the least recently refused first to be evicted. Only these limits are
 * read before they are counted. A flood of refused attempts then costs only reads, and no other
 * caller pays for a read.
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
