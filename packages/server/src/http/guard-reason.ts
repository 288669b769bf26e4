import type { TokenError } from 'keystile/internal'
import type { GuardReason } from './metrics.ts'

/** The label of a refusal: its code, with expired and revoked tokens apart from invalid ones. */
export function guardReasonOf({ code, reason }: TokenError): GuardReason {
  return reason === 'expired' || reason === 'revoked' ? reason : code
}
