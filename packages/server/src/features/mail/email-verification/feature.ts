import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import { minuteMilliseconds, type LimitRates } from '../../../feature/limit-rate.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { confirmRate } from '../flows/confirmation.ts'

const choices = ['off', 'optional', 'required'] as const

export type EmailVerification = (typeof choices)[number]

export interface EmailVerificationOptions {
  /**
   * Whether users prove that they read the mails to their address. `optional`: a new user gets a
   * mail, and the account exists before the user confirms the address. `required`: a registration
   * becomes an account only when it is confirmed. `optional` and `required` need mail. Default:
   * `off`.
   */
  readonly emailVerification?: EmailVerification
}

const emailVerification: DefaultedSetting<'emailVerification', EmailVerification> = {
  name: 'emailVerification',
  takenBy: 'both',
  schema: z.enum(choices, { error: `must be one of ${choices.join(', ')}` }),
  default: 'off',
  help:
    'whether new users may or must prove that they get mails at their address: ' +
    'off, optional or required',
  environment: ['KEYSTILE_EMAIL_VERIFICATION'],
  excludedBy: 'users',
  findFaults(choice, { values, unread }, say) {
    const hasMail = ['mail', 'mailUrl'].some((name) => name in values || unread.has(name))
    return choice === 'off' || hasMail
      ? []
      : [`needs mail, because ${choice} sends mails to new users: ${say.provide('mailUrl')}`]
  },
}

export const verificationRates: LimitRates<'user' | 'confirm' | 'password'> = {
  /** Limits how often one user can request another mail. */
  user: { name: 'verification', burst: 5, intervalMilliseconds: 96 * minuteMilliseconds },
  /** Limits how many refused confirmations one IP address can cause. */
  confirm: confirmRate('verification-confirm'),
  /**
   * Limits wrong passwords that come with a valid link or code, and attempts to finish a
   * registration with a taken user name or address. Each account and each registration has its own
   * limit. Without this limit, a person who can read the mails could guess the password or learn
   * many user names.
   */
  password: {
    name: 'verification-password',
    burst: 10,
    intervalMilliseconds: 144 * minuteMilliseconds,
  },
}

const auditEvents = [
  /** A user has confirmed the address of the account with a link or a code from a mail. */
  'email_verified',
] as const

export type EmailVerificationEvent = (typeof auditEvents)[number]

/** Users prove with a link or a code from a mail that they get mails at their address. */
export const feature: Feature<EmailVerificationOptions, EmailVerificationEvent> = {
  name: 'email-verification',
  settings: listSettings<EmailVerificationOptions>({ emailVerification }),
  auditEvents,
  rates: Object.values(verificationRates),
}
