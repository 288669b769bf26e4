import type { TokenError } from 'keystile/internal'
import type { GuardReason } from './metrics.ts'

/**
 * Returns the label of a refusal for metrics: `expired` or `revoked` for an expired or revoked
 * token, and the code of the error for any other refusal. Expired and revoked tokens are normal in
 * daily operation, but other invalid tokens may be a sign of an attack.
 */
export function guardReasonOf({ code, reason }: TokenError): GuardReason {
  return reason === 'expired' || reason === 'revoked' ? reason : code
}
