// The rate limit of invitations. It is not in `feature.ts`, because it imports, through the command
// line, what counts it.
import type { LimitRate } from '../../../feature/limit-rate.ts'
import { confirmRate } from '../flows/confirmation.ts'

/** Limits how many wrong links and codes of invitations one IP address can send. */
export const acceptRate: LimitRate = confirmRate('invitation')
