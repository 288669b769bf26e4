// Keeps the memory of a process from growing with revocations that have expired.

import type { Clock } from 'keystile/internal'

/**
 * How long expired revocations are kept. A revocation expires later than its tokens. So if the
 * clock is set back by less than this time, the tokens of a removed revocation stay expired.
 */
const keptMilliseconds = 60_000

/** Removes expired revocations from memory. */
export interface MemoryPurge {
  run(): void
  /**
   * Whether the clock was set back so far that tokens whose revocations were removed may be valid
   * again.
   */
  hasRemovedTooMuch(): boolean
}

export function createMemoryPurge(
  clock: Clock,
  lists: readonly { purge(now: number): void }[],
): MemoryPurge {
  let purgedAt = Number.NEGATIVE_INFINITY
  return {
    run() {
      purgedAt = clock.now()
      for (const list of lists) list.purge(purgedAt - keptMilliseconds)
    },
    hasRemovedTooMuch: () => clock.now() < purgedAt - keptMilliseconds,
  }
}
