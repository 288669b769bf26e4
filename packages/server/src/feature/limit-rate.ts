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
   * Whether a refund leaves nothing behind, however many uses are under way. Then as many more may
   * be saved up. Otherwise what time gave back meanwhile is not refunded again, so that there is
   * never more than the limit has.
   */
  readonly isGivenBackWhole?: boolean
}
