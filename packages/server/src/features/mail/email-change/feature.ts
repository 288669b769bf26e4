import type { Feature } from '../../../feature/feature.ts'
import {
  minuteMilliseconds,
  secondMilliseconds,
  type LimitRates,
} from '../../../feature/limit-rate.ts'
import { confirmRate } from '../flows/confirmation.ts'

export const emailRates: LimitRates<'user' | 'address' | 'server' | 'confirm'> = {
  /**
   * Limits changes of the e-mail address, per user. A change may send a mail, and its answer may
   * reveal that another user has the address.
   */
  user: { name: 'email', burst: 10, intervalMilliseconds: 16 * minuteMilliseconds },
  /**
   * Limits changes of the e-mail address that send a mail, per IP address. Each such mail may go to
   * a stranger: to the new address, or to an old address that was never verified.
   */
  address: { name: 'email-address', burst: 20, intervalMilliseconds: 3 * minuteMilliseconds },
  /** Limits changes of the e-mail address that send a mail, on the whole server. */
  server: { name: 'email-server', burst: 600, intervalMilliseconds: 2 * secondMilliseconds },
  /** Limits refused confirmations and refused undo links, per IP address. */
  confirm: confirmRate('email-confirm'),
}

const auditEvents = [
  /** A link in a mail to the old address restored it, and disabled the password. */
  'email_change_undone',
] as const

export type EmailChangeEvent = (typeof auditEvents)[number]

/** A new address, confirmed by a mail, and the link that restores the old one. */
export const feature: Feature<object, EmailChangeEvent> = {
  name: 'email-change',
  auditEvents,
  rates: Object.values(emailRates),
}
