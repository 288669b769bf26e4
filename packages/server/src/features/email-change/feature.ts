import type { Feature } from '../../feature/feature.ts'
import { minuteMilliseconds, secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'

/**
 * Limits changes of the e-mail address, per user. A change may send a mail, and its answer may
 * reveal that another user has the address.
 */
export const emailRate: LimitRate = {
  name: 'email',
  burst: 10,
  intervalMilliseconds: 16 * minuteMilliseconds,
}

/** Limits refused confirmations and refused undo links, per IP address. */
export const confirmEmailRate: LimitRate = {
  name: 'email-confirm',
  burst: 100,
  intervalMilliseconds: 30 * secondMilliseconds,
  isGivenBackWhole: true,
}

const auditEvents = ['email_change_undone'] as const

export type EmailChangeEvent = (typeof auditEvents)[number]

export const feature: Feature<object, EmailChangeEvent> = {
  name: 'email-change',
  auditEvents,
  rates: [emailRate, confirmEmailRate],
}
