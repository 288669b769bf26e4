/** So many uses at once, and then one each interval. */
export interface Rate {
  readonly burst: number
  readonly intervalMilliseconds: number
}

/**
 * The generic cell rate algorithm: one number, the theoretical arrival time (`tat`), says how much of a limit is used up. It
 * is the instant from which on nothing is, and each use moves it on by an interval.
 *
 * @param tat after the use in question
 * @returns milliseconds that the use comes too early, 0 where it may be
 * @see ITU-T I.371 Annex A
 */
export function earlinessOf(tat: number, rate: Rate, now: number): number {
  return Math.max(0, tat - usedUpAt(rate, now))
}

/**
 * Where a use moves the time to; a limit of which nothing is used up has none, or one that is past. More than all cannot be used
 * up: what says so was written when the clock was ahead.
 */
export function advance(tat: number | undefined, rate: Rate, now: number): number {
  return Math.min(Math.max(tat ?? now, now), usedUpAt(rate, now)) + rate.intervalMilliseconds
}

/** The time of a limit of which everything is used up. */
export function usedUpAt({ burst, intervalMilliseconds }: Rate, now: number): number {
  return now + burst * intervalMilliseconds
}
