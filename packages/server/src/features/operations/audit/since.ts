import { ConfigurationError } from '../../../base/configuration-error.ts'

const unitMilliseconds = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/**
 * Reads the value of `--since`: a time, or an age such as `90m`. Returns the time in milliseconds.
 *
 * @throws {ConfigurationError} if the value is neither
 */
export function readSince(text: string, now: number): number {
  const at = readAge(text, now) ?? readInstant(text)
  if (at >= 0) return at

  throw new ConfigurationError(
    '--since must be a time such as 2026-11-25T12:00:00Z or 2026-11-25, ' +
      'or an age such as 90m, 12h or 7d',
  )
}

/** Returns the time of an age, or undefined for any other string. */
function readAge(text: string, now: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const milliseconds = unitMilliseconds.get(unit)
  return milliseconds === undefined ? undefined : now - Number(count) * milliseconds
}

/** Such as `2026-11-25`. */
const date = /^\d{4}-\d\d-\d\d$/
/**
 * Such as `2026-11-25T12:00Z` or `2026-11-25T12:00:00.5+01:00`. The time zone is needed: without
 * it, the meaning would depend on the machine.
 */
const dateAndTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/

/** Parses an RFC 3339 time or date. Returns NaN for any other string. */
function readInstant(text: string): number {
  return date.test(text) || dateAndTime.test(text) ? Date.parse(text) : NaN
}
