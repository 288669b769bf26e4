import type { Feature } from '../../../feature/feature.ts'
import {
  minuteMilliseconds,
  secondMilliseconds,
  type LimitRates,
} from '../../../feature/limit-rate.ts'
import { confirmRate } from '../flows/confirmation.ts'

export const resetRates: LimitRates<'address' | 'server' | 'known' | 'account' | 'confirm'> = {
  /** Limits requests for a new password, per IP address. Many users may share an address. */
  address: { name: 'reset-address', burst: 20, intervalMilliseconds: 3 * minuteMilliseconds },
  /**
   * Limits requests for a new password without a device secret on the whole server, because each
   * request stores a row and may send a mail. A request with a valid device secret counts here only
   * if one of the limits of such requests is exhausted.
   */
  server: { name: 'reset-server', burst: 600, intervalMilliseconds: 2 * secondMilliseconds },
  /**
   * Limits requests for a new password with a valid device secret on the whole server. Strangers
   * cannot use up this limit, because each account can use only a small part of it.
   */
  known: { name: 'reset-known-server', burst: 600, intervalMilliseconds: 2 * secondMilliseconds },
  /**
   * Limits requests for a new password with a valid device secret, per account in the secret.
   * Counts all devices of an account together, because a user can make any number of devices.
   */
  account: { name: 'reset-account', burst: 5, intervalMilliseconds: 96 * minuteMilliseconds },
  /** The rate limit for refused confirmations from one IP address. */
  confirm: confirmRate('reset-confirm'),
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
  rates: Object.values(resetRates),
}
