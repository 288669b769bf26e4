import type { Feature } from '../../../feature/feature.ts'
import type { LimitRate } from '../../../feature/limit-rate.ts'
import { confirmRate } from '../flows/confirmation.ts'

/** Limits refused undo links, per IP address. */
export const undoRate: LimitRate = confirmRate('factor-undo')

const auditEvents = [
  /** A link in a mail removed the second factors of a user and disabled the password. */
  'factor_undone',
] as const

export type FactorUndoEvent = (typeof auditEvents)[number]

/** Undoes the first second factor of an account, with a link in the mail about it. */
export const feature: Feature<object, FactorUndoEvent> = {
  name: 'factor-undo',
  auditEvents,
  rates: [undoRate],
}
