import { hasCome, type Clock } from '../base/clock.ts'

/** The minimum time from the start of one fetch to the start of the next. */
const cooldownSeconds = 30

/** The first retry delay while there are no keys. Each later delay is twice the delay before it. */
const firstBackOffSeconds = 1

/** Decides when the next fetch of the keys may start. */
interface FetchSchedule {
  isDue(): boolean
  /** Starts the cooldown, and returns the current time. */
  start(): number
  /**
   * Allows a retry before the cooldown ends. Called when a fetch fails and there are no keys yet.
   */
  retrySoon(): void
  /** Whole seconds until a fetch may start, for `Retry-After`: at least 1. */
  secondsToNext(): number
}

/** Creates a schedule that allows a fetch at once. */
export function createFetchSchedule(clock: Clock): FetchSchedule {
  let nextAt = Number.NEGATIVE_INFINITY
  let backOffSeconds = firstBackOffSeconds

  return {
    // `nextAt` was chosen at most one cooldown earlier. So if the clock is before that, it was set
    // back, and a fetch is due.
    isDue: () => hasCome(nextAt, nextAt - cooldownSeconds * 1000, clock.now()),
    start() {
      const now = clock.now()
      nextAt = now + cooldownSeconds * 1000
      return now
    },
    retrySoon() {
      nextAt = clock.now() + backOffSeconds * 1000
      backOffSeconds = Math.min(2 * backOffSeconds, cooldownSeconds)
    },
    secondsToNext: () => Math.max(1, Math.ceil((nextAt - clock.now()) / 1000)),
  }
}
