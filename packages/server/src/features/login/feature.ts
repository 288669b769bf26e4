import type { Feature } from '../../feature/feature.ts'
import { minuteMilliseconds, secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'

/**
 * Logins from unknown devices by the name that was typed: 50 a day. Our accounts have two names, so
 * 100 an account.
 */
export const nameRate: LimitRate = {
  name: 'login',
  burst: 10,
  intervalMilliseconds: 36 * minuteMilliseconds,
}

/** Logins from unknown devices at an address, for any name. An office may be behind it. */
export const addressRate: LimitRate = {
  name: 'address',
  burst: 100,
  intervalMilliseconds: 30 * secondMilliseconds,
  isGivenBackWhole: true,
}

/** Logins with one device secret, which can be stolen: 100 a day. */
export const deviceRate: LimitRate = {
  name: 'device',
  burst: 10,
  intervalMilliseconds: 16 * minuteMilliseconds,
}

const auditEvents = [
  /**
   * The entry names the subject where the user exists. It never repeats what was typed as the name:
   * people type passwords into that field.
   */
  'login_refused',
] as const

/** What logins write into the audit record; the start of the session writes `login`. */
export type LoginEvent = (typeof auditEvents)[number]

/** Proves who a person is; issues nothing. */
export const feature: Feature<object, LoginEvent> = {
  name: 'login',
  auditEvents,
  rates: [nameRate, addressRate, deviceRate],
}
