const maxKeys = 10_000

/** Limits that were used up when they were last asked for. */
export interface RefusedKeys {
  has(key: string): boolean
  remember(keys: readonly string[], isRefused: boolean): void
}

/** Only these are looked up before they are counted: so a flood of what is refused costs reads, and whoever is not refused pays for none. */
export function createRefusedKeys(): RefusedKeys {
  const refused = new Set<string>()
  return {
    has: (key) => refused.has(key),
    remember(keys, isRefused) {
      for (const key of keys) {
        refused.delete(key)
        if (isRefused) refused.add(key) // behind the others
      }
      for (const oldest of refused) {
        if (refused.size <= maxKeys) break
        refused.delete(oldest)
      }
    },
  }
}
