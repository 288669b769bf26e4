import type { CounterMetric } from '../../feature/metric.ts'

/** How a login or a refresh ended. */
export const outcomes = [
  'granted',
  /** The password or the token was wrong, or its owner may not log in. */
  'refused',
  /** The request was malformed, whoever sent it. */
  'invalid',
  /** A rate limit refused it. */
  'limited',
  /** The database was away, or too many passwords were waiting to be hashed. */
  'unavailable',
  /** A bug. */
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
