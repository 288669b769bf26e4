import type { TokenError } from 'keystile/internal'
import type { CounterMetric } from '../feature/metric.ts'

/** Why guards refuse requests: the values of the metric's label `reason`. */
export const guardReasons = [
  'not_authenticated',
  'invalid_request',
  'expired',
  'revoked',
  'invalid_token',
  'insufficient_scope',
  'email_not_verified',
  'insufficient_user_authentication',
  'temporarily_unavailable',
] as const
export type GuardReason = (typeof guardReasons)[number]

export const guardRefusals: CounterMetric<{ readonly reason: GuardReason }> = {
  type: 'counter',
  name: 'keystile_guard_refusals_total',
  help: 'Requests that a guard refused, by reason.',
  labels: { reason: guardReasons },
}

/**
 * Returns the label of a refusal for metrics: `expired` or `revoked` for an expired or revoked
 * token, and the code of the error for any other refusal. Expired and revoked tokens are normal in
 * daily operation, but other invalid tokens may be a sign of an attack.
 */
export function guardReasonOf({ code, reason }: TokenError): GuardReason {
  return reason === 'expired' || reason === 'revoked' ? reason : code
}
