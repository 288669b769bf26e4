// The rate limits and audit events of logins.
import type { Feature } from '../../../feature/feature.ts'
import {
  minuteMilliseconds,
  secondMilliseconds,
  type LimitRate,
} from '../../../feature/limit-rate.ts'
import {
  emailCodeRate,
  factorKnownRate,
  factorRate,
  nameRate,
} from '../../users/directory/rates.ts'

/**
 * Limits logins from unknown devices, per IP address. This limit stops an attacker who tries a
 * common password with many names. The burst is high because an office may share an address.
 */
export const addressRate: LimitRate = {
  name: 'address',
  burst: 100,
  intervalMilliseconds: 30 * secondMilliseconds,
  isRefundedWhole: true,
}

/**
 * Limits logins with one device secret to 100 a day, so that an attacker who has stolen the secret
 * cannot guess more often.
 */
export const deviceRate: LimitRate = {
  name: 'device',
  burst: 10,
  intervalMilliseconds: 16 * minuteMilliseconds,
}

/** Limits codes of an authenticator app from a known device: strangers cannot use it up. */
export const factorDeviceRate: LimitRate = {
  name: 'factor-device',
  burst: 10,
  intervalMilliseconds: 144 * minuteMilliseconds,
}

/**
 * Limits the secrets that logins show for a new authenticator app, per user. Each costs a QR code.
 */
export const secretRate: LimitRate = {
  name: 'factor-secret',
  burst: 20,
  intervalMilliseconds: 10 * minuteMilliseconds,
}

const auditEvents = [
  /**
   * A login was refused. The entry has the subject if the user exists. It never has the typed name,
   * because people also type passwords into the field for the name.
   */
  'login_refused',
  /** A second factor was wrong, after a right password or in a session. */
  'factor_refused',
  /** A login gave an authorization code. The session starts when the client exchanges it. */
  'code_issued',
  /** An authorization code came again after its use. This ended its session. */
  'code_reused',
] as const

/**
 * The audit events of refused logins, and of codes. The event `login` of a successful login belongs
 * to the feature `sessions`.
 */
export type LoginEvent = (typeof auditEvents)[number]

/** Authenticates users; issues no tokens. */
export const feature: Feature<object, LoginEvent> = {
  name: 'login',
  auditEvents,
  rates: [
    nameRate,
    addressRate,
    deviceRate,
    factorRate,
    factorDeviceRate,
    factorKnownRate,
    emailCodeRate,
    secretRate,
  ],
}
