/** A burst of uses at once, then one in each interval. */
export interface Rate {
  readonly burst: number
  readonly intervalMilliseconds: number
}

/**
 * The generic cell rate algorithm. One number, the theoretical arrival time (`tat`), says how much
 * of a limit is used up: from that instant on, nothing is. Each use moves it on by an interval.
 *
 * @param tat after the use in question
 * @returns by how many milliseconds the use is too early; 0 when it is allowed
 * @see ITU-T I.371 Annex A
 */
export function earlinessOf(tat: number, rate: Rate, now: number): number {
  return Math.max(0, tat - usedUpAt(rate, now))
}

/**
 * The arrival time after one more use. An unused limit has no time, or one in the past. A time
 * beyond that of an exhausted limit was written while the clock was ahead, so it is cut.
 */
export function advance(tat: number | undefined, rate: Rate, now: number): number {
  return Math.min(Math.max(tat ?? now, now), usedUpAt(rate, now)) + rate.intervalMilliseconds
}

/** The arrival time of an exhausted limit. */
export function usedUpAt({ burst, intervalMilliseconds }: Rate, now: number): number {
  return now + burst * intervalMilliseconds
}
