// The rate limits and audit events of logins.
import type { Feature } from '../../feature/feature.ts'
import { minuteMilliseconds, secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'

/**
 * Logins from unknown devices, by the typed name: 50 a day. A Keystile account has a user name and
 * an e-mail address, so an attacker gets 100 guesses a day for one account.
 */
export const nameRate: LimitRate = {
  name: 'login',
  burst: 10,
  intervalMilliseconds: 36 * minuteMilliseconds,
}

/**
 * Logins from unknown devices, by IP address. This limit stops a sender who tries a common password
 * with many names. The burst is high because an office may share an address.
 */
export const addressRate: LimitRate = {
  name: 'address',
  burst: 100,
  intervalMilliseconds: 30 * secondMilliseconds,
  isGivenBackWhole: true,
}

/** Logins with one device secret: 100 a day. A thief of the secret cannot guess more. */
export const deviceRate: LimitRate = {
  name: 'device',
  burst: 10,
  intervalMilliseconds: 16 * minuteMilliseconds,
}

const auditEvents = [
  /**
   * The entry has the subject if the user exists. It never has the typed name, because people type
   * passwords into that field.
   */
  'login_refused',
] as const

/** The events of logins in the audit record. The start of the session writes `login` itself. */
export type LoginEvent = (typeof auditEvents)[number]

/** Authenticates users; issues no tokens. */
export const feature: Feature<object, LoginEvent> = {
  name: 'login',
  auditEvents,
  rates: [nameRate, addressRate, deviceRate],
}
