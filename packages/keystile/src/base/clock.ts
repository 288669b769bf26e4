/** Tells the time in milliseconds since 1970-01-01 UTC. Tests pass their own clock. */
export interface Clock {
  now(): number
}

/**
 * Separates milliseconds from seconds: it is in 1973 as milliseconds, and in the year 5138 as
 * seconds. A smaller number cannot be a time in milliseconds, a larger one not a time in seconds.
 */
const leastMilliseconds = 1e11

/**
 * Refuses a clock that does not return milliseconds since 1970, and returns any other. With such a
 * clock no token would ever expire: `performance` counts from the start of the process, and
 * `Date.now() / 1000` counts seconds.
 *
 * @throws {TypeError}
 */
export function requireClock(clock: Clock): Clock {
  const now = typeof clock?.now === 'function' ? clock.now() : Number.NaN

  if (Number.isFinite(now) && now >= leastMilliseconds) return clock

  throw new TypeError(
    '`clock` must be an object whose now() returns milliseconds since 1970, as Date.now() does',
  )
}

/**
 * Whether a value can be an instant in a JWT, which is in seconds. `Date.now()` returns
 * milliseconds: read as seconds, they are in the year 58,000, and the token would not expire.
 */
export function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value > -Infinity && value < leastMilliseconds
}

/**
 * Whether it is time for something that was planned at `since` for `instant`. Returns true also
 * when the clock is now before `since`: a clock that was set back must not delay it.
 */
export function hasCome(instant: number, since: number, now: number): boolean {
  return now >= instant || now < since
}

/** The clock of the machine. */
export const systemClock: Clock = { now: () => Date.now() }

/** Converts to whole seconds, the unit of instants in a JWT (NumericDate, RFC 7519 §2). */
export function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
