/** Tells the time in milliseconds since 1970-01-01 UTC. Tests pass their own clock. */
export interface Clock {
  now(): number
}

/**
 * The boundary between seconds and milliseconds since 1970. A smaller number cannot be the current
 * time in milliseconds, because it would be in 1973 or earlier. A larger number cannot be a time in
 * seconds, because it would be in the year 5138 or later.
 */
const leastMilliseconds = 1e11

/**
 * Returns the given clock, and throws if its `now()` does not return milliseconds since 1970. For
 * example, `performance.now()` counts from the start of the process, and `Date.now() / 1000` counts
 * seconds. With such a clock, no token would ever expire.
 *
 * @throws {TypeError}
 */
export function requireClock(clock: Clock): Clock {
  const now = typeof clock?.now === 'function' ? clock.now() : Number.NaN

  if (Number.isFinite(now) && now >= leastMilliseconds) return clock

  if (Date.now() === 0) {
    throw new TypeError(
      'a Worker cannot read the time while it loads its modules: Date.now() is 0. ' +
        'Fix: sign and verify tokens in a request',
    )
  }
  throw new TypeError(
    '`clock` must be an object whose now() returns milliseconds since 1970, as Date.now() does',
  )
}

/**
 * Checks a clock as `requireClock` does, and returns the clock. While a Cloudflare Worker loads its
 * modules, `Date.now()` is 0, so the clock cannot be checked yet. In this case, the returned clock
 * is checked at each use.
 *
 * @throws {TypeError}
 */
export function requireClockForLater(clock: Clock): Clock {
  return Date.now() === 0 ? { now: () => requireClock(clock).now() } : requireClock(clock)
}

/**
 * Whether a value can be a time in a JWT: a number of seconds since 1970. Returns false for a
 * number of milliseconds such as `Date.now()`. If `Date.now()` were read as seconds, it would be a
 * day in the year 58,000, so the token would practically never expire.
 */
export function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value > -Infinity && value < leastMilliseconds
}

/**
 * Whether `now` has reached `instant`. `since` is the time at which the caller chose `instant`. If
 * `now` is before `since`, the clock was set back. In this case, the function returns true as well,
 * so that the caller does not wait too long.
 */
export function hasCome(instant: number, since: number, now: number): boolean {
  return now >= instant || now < since
}

export const systemClock: Clock = { now: () => Date.now() }

/**
 * Converts milliseconds to whole seconds, the unit of times in a JWT (NumericDate, RFC 7519 §2).
 */
export function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
