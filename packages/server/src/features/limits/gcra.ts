// The arithmetic of rate limits, without a database.

/** A burst of uses at once, then one use in each interval. */
export interface Rate {
  readonly burst: number
  readonly intervalMilliseconds: number
}

/**
 * Returns by how many milliseconds a use is too early; 0 when it is allowed.
 *
 * This is the generic cell rate algorithm. One number for each limit, the theoretical arrival time
 * (`tat`), says how much of the limit is used: from that time on, the limit is full again. Each use
 * moves it one interval into the future.
 *
 * @param tat the arrival time after the use
 * @see ITU-T I.371 Annex A
 */
export function earlinessOf(tat: number, rate: Rate, now: number): number {
  return Math.max(0, tat - usedUpAt(rate, now))
}

/**
 * Returns the arrival time after one more use. An unused limit has none, or one in the past. A time
 * beyond an exhausted limit was written while the clock was ahead; it is cut, so that a corrected
 * clock locks no user out for hours.
 */
export function advance(tat: number | undefined, rate: Rate, now: number): number {
  return Math.min(Math.max(tat ?? now, now), usedUpAt(rate, now)) + rate.intervalMilliseconds
}

/** Returns the arrival time of an exhausted limit. */
export function usedUpAt({ burst, intervalMilliseconds }: Rate, now: number): number {
  return now + burst * intervalMilliseconds
}
