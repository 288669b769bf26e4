import type { TokenError } from 'keystile/internal'
import type { GuardReason } from './metrics.ts'

/**
 * Returns the label of a refusal for metrics: the code of the error. Only expired and revoked
 * tokens get labels of their own, because such tokens are normal in daily operation. Other invalid
 * tokens may be a sign of an attack.
 */
export function guardReasonOf({ code, reason }: TokenError): GuardReason {
  return reason === 'expired' || reason === 'revoked' ? reason : code
}
