/**
 * A rate limit: first a burst of uses without a wait, then one use in each interval. In 24 hours it
 * allows the burst plus one use for each interval of the day.
 */
export interface LimitRate {
  /**
   * The name is part of the key that the count is stored under. So a limit with a new name starts
   * counting from zero.
   */
  readonly name: string
  /** How many uses are allowed at once, without a wait. */
  readonly burst: number
  /** How long a caller who has used up the burst waits for one more use. */
  readonly intervalMilliseconds: number
  /**
   * How much of a use a refund restores. `false`, the default: only the part that has not refilled
   * yet, so no caller gains a use. `true`: the whole use, even if a part has refilled, so a caller
   * can gain one extra use for each request in flight. Limits by IP address need `true`: with
   * `false`, an office of fifty people who kept logging in was refused after half a minute.
   */
  readonly isRefundedWhole?: boolean
}

/** The rate limits of a feature, by their use. */
export type LimitRates<Use extends string> = Readonly<Record<Use, LimitRate>>

// The units in which features write the intervals of their rate limits.

export const secondMilliseconds = 1_000
export const minuteMilliseconds: number = 60 * secondMilliseconds
