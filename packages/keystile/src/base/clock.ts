/** The time, as milliseconds since 1970-01-01 UTC. A test passes its own. */
export interface Clock {
  now(): number
}

/** 1973 in milliseconds, the year 5138 in seconds: what is below is no time in milliseconds, what is above none in seconds. */
const leastMilliseconds = 1e11

/**
 * A clock that tells something else would make every token valid for ever: `performance` tells the time since the start,
 * and `() => Date.now() / 1000` seconds.
 *
 * @throws {TypeError} unless the clock tells milliseconds since 1970
 */
export function requireClock(clock: Clock): Clock {
  const isClock = (typeof clock === 'object' || typeof clock === 'function') && typeof clock?.now === 'function'
  const now: unknown = isClock ? clock.now() : undefined
  if (typeof now === 'number' && now >= leastMilliseconds && Number.isFinite(now)) return clock
  throw new TypeError('`clock` must be an object whose now() returns milliseconds since 1970, as Date.now() does')
}

/** Whether a number can be an instant inside a JWT, in seconds. `Date.now()` in its place would be the year 58,000. */
export function isSeconds(instant: number): boolean {
  return Number.isFinite(instant) && instant < leastMilliseconds
}

export const systemClock: Clock = { now: () => Date.now() }

/** Whole seconds since the epoch: the unit of every instant inside a JWT (RFC 7519 §2, NumericDate). */
export function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
