import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import {
  minuteMilliseconds,
  secondMilliseconds,
  type LimitRates,
} from '../../../feature/limit-rate.ts'
import { listSettings, type DefaultedSetting, type Setting } from '../../../feature/setting.ts'
import { auditEvents, type AccountEvent } from './audit-events.ts'
import { cliCommands } from './cli-commands.ts'
import type { Options } from './cli.ts'
import { findReservedFields } from './described-profile.ts'
import { purgeFormerEmails } from './former-email-store.ts'
import type { ProfileSchema } from './profile.ts'
import { rules, type RuleOptions } from './rules.ts'

export interface AccountOptions<P extends object> {
  /**
   * Whether anyone may create an account at `POST /users`. Default: `open` if the issuer is on this
   * machine. Otherwise the setting is required.
   */
  readonly registration?: 'open' | 'closed'
  /**
   * A schema for the fields that the application adds to users. Any library that implements
   * Standard Schema can make the schema. A profile is at most 64 KiB of JSON. A field must not have
   * the name of one of Keystile's fields (`id`, `username`, `email`, `email_verified`,
   * `created_at`, `password`, `scopes`, `roles`, `disabled`) or of a property that every object has
   * (`constructor`, `toJSON`).
   */
  readonly profile?: ProfileSchema<P>
}

const registration: DefaultedSetting<'registration', 'open' | 'closed'> = {
  name: 'registration',
  takenBy: 'both',
  schema: z.enum(['open', 'closed'], { error: 'must be open or closed' }),
  default: 'open', // used only on this machine: elsewhere a safety rule requires a choice
  defaultText: 'open if the issuer is on this machine; otherwise the setting is required',
  help: 'whether anyone may register at POST /users: open or closed',
  environment: ['KEYSTILE_REGISTRATION'],
  excludedBy: 'users',
}

const profile: Setting<'profile', ProfileSchema> = {
  name: 'profile',
  takenBy: 'both',
  schema: z.custom<ProfileSchema>(
    (value) => typeof (value as ProfileSchema | null)?.['~standard']?.validate === 'function',
    { error: 'must be a Standard Schema' },
  ),
  defaultText: 'no fields',
  help: 'a Standard Schema for fields that users have besides the built-in ones',
  excludedBy: 'users',
  findFaults(schema) {
    const reserved = findReservedFields(schema)
    return reserved.length > 0
      ? [`must not have ${reserved.join(', ')}: Keystile reserves these names; choose other names`]
      : []
  },
}

export const accountRates: LimitRates<'proof' | 'profile' | 'registration' | 'server'> = {
  /**
   * Limits wrong guesses of the current password to 100 a day, per session. So an attacker with a
   * stolen token can guess the password only 100 times a day.
   */
  proof: { name: 'proof', burst: 10, intervalMilliseconds: 16 * minuteMilliseconds },
  /**
   * Limits changes of a profile, per user, because each change writes an audit entry and up to 64
   * KiB of JSON.
   */
  profile: { name: 'profile', burst: 60, intervalMilliseconds: minuteMilliseconds },
  /**
   * Limits registrations, per IP address. Each registration costs a password hash, and its answer
   * reveals whether a name is taken. The burst lets a school class or an office register at the
   * same time.
   */
  registration: { name: 'registration', burst: 50, intervalMilliseconds: 2 * minuteMilliseconds },
  /**
   * Limits registrations across all callers, because each of them stores up to 64 KiB and can send
   * a mail to a stranger.
   */
  server: { name: 'registration-server', burst: 600, intervalMilliseconds: 2 * secondMilliseconds },
}

/**
 * Keystile's own users. They register and manage their own accounts. Administrators manage all
 * accounts.
 */
export const feature: Feature<AccountOptions<object>, AccountEvent, RuleOptions, Options> = {
  name: 'accounts',
  settings: listSettings<AccountOptions<object>>({ registration, profile }),
  rules,
  auditEvents,
  rates: Object.values(accountRates),
  cleanUp: [{ command: purgeFormerEmails, time: 'clock', before: (time) => time }],
  cliCommands,
}
