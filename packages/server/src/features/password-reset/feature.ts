import type { Feature } from '../../feature/feature.ts'
import { minuteMilliseconds, secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'

/**
 * Limits requests for a new password, per typed name. A request from a known device counts here
 * only if the limit of the device is exhausted.
 */
export const resetLoginRate: LimitRate = {
  name: 'reset-login',
  burst: 5,
  intervalMilliseconds: 96 * minuteMilliseconds,
}

/** Limits requests for a new password, per IP address. Many users may share an address. */
export const resetAddressRate: LimitRate = {
  name: 'reset-address',
  burst: 20,
  intervalMilliseconds: 3 * minuteMilliseconds,
}

/**
 * Limits requests for a new password on the whole server, also from known devices, because each
 * request stores a row and may send a mail.
 */
export const resetServerRate: LimitRate = {
  name: 'reset-server',
  burst: 600,
  intervalMilliseconds: 2 * secondMilliseconds,
}

/**
 * Limits requests for a new password from one known device. Applies instead of the limit per typed
 * name.
 */
export const resetDeviceRate: LimitRate = {
  name: 'reset-device',
  burst: 5,
  intervalMilliseconds: 96 * minuteMilliseconds,
}

/** The rate limit for refused confirmations from one IP address. */
export const confirmAddressRate: LimitRate = {
  name: 'reset-confirm',
  burst: 100,
  intervalMilliseconds: 30 * secondMilliseconds,
  isGivenBackWhole: true,
}

const auditEvents = [
  /** A user has set a new password with a link or a code from a mail. */
  'password_reset',
] as const

export type PasswordResetEvent = (typeof auditEvents)[number]

/** Lets users who forgot their password set a new one, with a link or a code from a mail. */
export const feature: Feature<object, PasswordResetEvent> = {
  name: 'password-reset',
  auditEvents,
  rates: [resetLoginRate, resetAddressRate, resetServerRate, resetDeviceRate, confirmAddressRate],
}
