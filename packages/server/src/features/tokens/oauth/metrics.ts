import type { CounterMetric } from '../../../feature/metric.ts'

export const outcomes = [
  'granted',
  /** The password of a login was right, and a second factor is missing. */
  'factor_required',
  /** The password or token was wrong, or the user may not log in. */
  'refused',
  /** The request was not valid: a parameter was missing, or the login had expired. */
  'invalid',
  /** A rate limit refused the request. */
  'limited',
  /** The database was unavailable, or too many passwords were waiting to be hashed. */
  'unavailable',
  /** An unexpected error: a bug. */
  'failed',
] as const
export type Outcome = (typeof outcomes)[number]

export const logins: CounterMetric<{ readonly outcome: Outcome }> = {
  type: 'counter',
  name: 'keystile_logins_total',
  help: 'Logins, by outcome.',
  labels: { outcome: outcomes },
}

export const refreshes: CounterMetric<{ readonly outcome: Outcome }> = {
  type: 'counter',
  name: 'keystile_refreshes_total',
  help: 'Refreshes, by outcome.',
  labels: { outcome: outcomes },
}
