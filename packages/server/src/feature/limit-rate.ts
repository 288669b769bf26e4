export const secondMilliseconds = 1_000
export const minuteMilliseconds: number = 60 * secondMilliseconds

/**
 * A rate limit: so many uses at once, and then one each interval. In 24 hours that is the burst and
 * a day of intervals.
 */
export interface LimitRate {
  /** Part of the stored key. Another name forgets what was counted. */
  readonly name: string
  readonly burst: number
  readonly intervalMilliseconds: number
  /**
   * Whether a refund is full, even where time has refilled the limit meanwhile. Then one try for
   * each use in flight can be saved up. Otherwise a refund leaves out what time has refilled, so
   * that there is never more than the limit has. An address is refunded in full: fifty people of
   * one office who logged in again and again were refused after half a minute without it.
   */
  readonly isGivenBackWhole?: boolean
}
