// Apart from `feature.ts`, which imports the command line, and with it `invitation.ts`.
import type { LimitRate } from '../../../feature/limit-rate.ts'
import { confirmRate } from '../flows/flow.ts'

/** Limits how many wrong links and codes of invitations one IP address can send. */
export const acceptRate: LimitRate = confirmRate('invitation')
