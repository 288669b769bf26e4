import type { TokenError } from 'keystile/internal'
import type { GuardReason } from './metrics.ts'

/**
 * Returns the label of a refusal for metrics. It is the code of the error, but expired and revoked
 * tokens have their own labels: they are normal, while other invalid tokens may show an attack.
 */
export function guardReasonOf({ code, reason }: TokenError): GuardReason {
  return reason === 'expired' || reason === 'revoked' ? reason : code
}
