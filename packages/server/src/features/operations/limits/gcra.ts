// The arithmetic of rate limits, without a database.

/** A rate limit that allows a burst of uses without a pause, and then one use in each interval. */
export interface Rate {
  readonly burst: number
  readonly intervalMilliseconds: number
}

/**
 * Returns by how many milliseconds a use is too early. Returns 0 if the use is allowed now.
 *
 * This is the generic cell rate algorithm. It keeps one number for each limit: the theoretical
 * arrival time (`tat`), at which the limit has refilled completely. Each use moves `tat` one
 * interval into the future.
 *
 * @param tat the arrival time after the use
 * @see ITU-T I.371 Annex A
 */
export function earlinessOf(tat: number, rate: Rate, now: number): number {
  return Math.max(0, tat - usedUpAt(rate, now))
}

/**
 * Returns the arrival time after one more use. If the limit is unused, `tat` is undefined or in the
 * past. If `tat` is later than `usedUpAt()` allows, the clock was ahead when `tat` was stored. The
 * function then replaces `tat` with `usedUpAt()`, so that no user is locked out for hours after the
 * clock is corrected.
 */
export function advance(tat: number | undefined, rate: Rate, now: number): number {
  return Math.min(Math.max(tat ?? now, now), usedUpAt(rate, now)) + rate.intervalMilliseconds
}

/** Returns the arrival time (`tat`) that a limit has at the moment when its burst is used up. */
export function usedUpAt({ burst, intervalMilliseconds }: Rate, now: number): number {
  return now + burst * intervalMilliseconds
}
