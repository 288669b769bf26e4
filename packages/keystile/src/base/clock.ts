/** The time, as milliseconds since 1970-01-01 UTC. A test passes its own. */
export interface Clock {
  now(): number
}

/**
 * 1973 in milliseconds, the year 5138 in seconds. A number below it is no time in milliseconds, and
 * a number above it no time in seconds.
 */
const leastMilliseconds = 1e11

/**
 * Refuses a clock that tells anything but milliseconds since 1970, because it would make every
 * token valid forever: `performance` counts from the start of the process, `Date.now() / 1000`
 * seconds.
 *
 * @throws {TypeError}
 */
export function requireClock(clock: Clock): Clock {
  const isClock =
    (typeof clock === 'object' || typeof clock === 'function') && typeof clock?.now === 'function'
  const now: unknown = isClock ? clock.now() : undefined
  if (typeof now === 'number' && now >= leastMilliseconds && Number.isFinite(now)) return clock
  throw new TypeError(
    '`clock` must be an object whose now() returns milliseconds since 1970, as Date.now() does',
  )
}

/**
 * Whether a value can be an instant inside a JWT, in seconds. `Date.now()` in its place would be
 * the year 58,000.
 */
export function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value < leastMilliseconds
}

/**
 * Whether an instant has come that was set earlier, at `since`. A time before that also counts as
 * come: setting a clock back must not postpone it.
 */
export function hasCome(instant: number, since: number, now: number): boolean {
  return now >= instant || now < since
}

export const systemClock: Clock = { now: () => Date.now() }

/**
 * Whole seconds since the epoch: the unit of every instant inside a JWT (RFC 7519 §2, NumericDate).
 */
export function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
