const maxKeys = 10_000

/** Limits that were used up when they were last asked for. */
export interface RefusedKeys {
  has(key: string): boolean
  /** @param refused those of `keys` that were used up when they were asked for just now */
  remember(keys: readonly string[], refused: readonly string[]): void
}

/** Only these are looked up before they are counted: so a flood of what is refused costs reads, and whoever is not refused pays for none. */
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
