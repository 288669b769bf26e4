// The units in which features write the intervals of their rate limits.

export const secondMilliseconds = 1_000
export const minuteMilliseconds: number = 60 * secondMilliseconds

/**
 * A rate limit: a burst of uses at once, and then one use in each interval. In 24 hours it allows
 * the burst plus one use for each interval of the day.
 */
export interface LimitRate {
  /** Part of the stored key. A new name starts counting from zero. */
  readonly name: string
  /** The number of uses that are allowed at once. */
  readonly burst: number
  /** The time in which one use is allowed again. */
  readonly intervalMilliseconds: number
  /**
   * Whether a refund restores the whole use, even when time has refilled the limit meanwhile.
   * Then a caller can gain one extra use for each request in flight. Without it, a refund leaves
   * out the refilled part, so that the limit never holds more than its burst. Limits by address
   * need it: without it, fifty people in one office who kept logging in were refused after half a
   * minute.
   */
  readonly isGivenBackWhole?: boolean
}
