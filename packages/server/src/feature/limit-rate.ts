// The units in which features write the intervals of their rate limits.

export const secondMilliseconds = 1_000
export const minuteMilliseconds: number = 60 * secondMilliseconds

/**
 * A rate limit: first a burst of uses without a wait, then one use in each interval. In 24 hours it
 * allows the burst plus one use for each interval of the day.
 */
export interface LimitRate {
  /** Part of the stored key. If the name changes, the limit starts counting from zero. */
  readonly name: string
  /** The number of uses that are allowed without a wait. */
  readonly burst: number
  /** The time after which one more use is allowed. */
  readonly intervalMilliseconds: number
  /**
   * Whether a refund restores the whole use, even if the limit has refilled since the use. If true,
   * a caller can gain one extra use for each request in flight. If false, a refund restores only
   * the part of the use that has not refilled yet, so the limit never allows more than its burst.
   * Default: false. Limits by IP address need `true`: with `false`, an office of fifty people who
   * kept logging in was refused after half a minute.
   */
  readonly isGivenBackWhole?: boolean
}
