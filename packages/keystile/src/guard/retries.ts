// Decides when a verifier connects to the revocation feed again.

/**
 * When a connection ends, the verifier waits until `least` milliseconds have passed since the start
 * of this connection. A random pause follows. After each of the first `shortPauses` failures, this
 * pause is at most `least`, so the verifier soon connects again if the issuer restarts within
 * seconds. With each further failure, the maximum pause doubles, up to `most`.
 */
const retryMilliseconds = { least: 1_000, most: 10_000 }
const shortPauses = 3

/** Decides when the next connection may start. All times are those of `performance.now()`. */
export interface Retries {
  isDue(): boolean
  /** Returns the current time. */
  start(): number
  /** Called when a connection has ended. Returns how many milliseconds to wait before a new one. */
  pause(): number
  /** Makes the next pause short again. */
  reset(): void
  /** Whole seconds until a connection may start, for `Retry-After`: at least 1. */
  secondsToNext(): number
}

/**
 * Creates the schedule of connections. The whole pause is random ("full jitter"). If many verifiers
 * lose their connections at the same moment, they therefore reconnect at different times.
 */
export function createRetries(): Retries {
  let startedAt = 0
  let nextAt = 0
  let failures = 0

  return {
    isDue: () => performance.now() >= nextAt,
    start() {
      startedAt = performance.now()
      return startedAt
    },
    pause() {
      const now = performance.now()
      const doublings = Math.max(0, ++failures - shortPauses)
      const most = Math.min(retryMilliseconds.least * 2 ** doublings, retryMilliseconds.most)
      nextAt = Math.max(now, startedAt + retryMilliseconds.least) + Math.random() * most
      return nextAt - now
    },
    reset() {
      failures = 0
    },
    secondsToNext: () => Math.max(1, Math.ceil((nextAt - performance.now()) / 1000)),
  }
}
