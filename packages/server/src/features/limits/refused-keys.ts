/** Bounds the memory. A limit that is forgotten costs one write, not one read, at its next use. */
const maxKeys = 10_000

/** The limits that were exhausted when this process last looked. */
export interface RefusedKeys {
  has(key: string): boolean
  /** @param refused those of `keys` that are exhausted now */
  remember(keys: readonly string[], refused: readonly string[]): void
}

/**
 * Remembers exhausted limits. Only these are read before they are counted, so a flood of refused
 * tries costs reads alone, and no other caller pays for a read.
 */
export function createRefusedKeys(): RefusedKeys {
  const known = new Set<string>()
  return {
    has: (key) => known.has(key),
    remember(keys, refused) {
      for (const key of keys) known.delete(key)
      for (const key of refused) known.add(key) // behind the others
      for (const oldest of known) {
        if (known.size <= maxKeys) break
        known.delete(oldest)
      }
    },
  }
}
