import * as z from 'zod'
import type { Feature } from '../../feature/feature.ts'
import { minuteMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'
import { listSettings, type DefaultedSetting, type Setting } from '../../feature/setting.ts'
import { auditEvents, type AccountEvent } from './audit-events.ts'
import { cliCommands } from './cli-commands.ts'
import type { Options } from './cli.ts'
import { findReservedFields, type ProfileSchema } from './profile.ts'
import { rules, type RuleOptions } from './rules.ts'

export interface AccountOptions<P extends object> {
  /**
   * Whether strangers may register at `POST /users`. Default: open where the issuer is on this
   * machine; else it must be said.
   */
  readonly registration?: 'open' | 'closed'
  /**
   * A schema for fields of a user beside ours, by the Standard Schema specification. A profile is
   * at most 64 KiB of JSON. It has no field of a name that is Keystile's own (`id`, `username`,
   * `email`, `email_verified`, `created_at`, `password`, `scopes`, `roles`, `disabled`) or every
   * object's (`constructor`, `toJSON`).
   */
  readonly profile?: ProfileSchema<P>
}

const registration: DefaultedSetting<'registration', 'open' | 'closed'> = {
  name: 'registration',
  takenBy: 'both',
  schema: z.enum(['open', 'closed'], { error: 'must be open or closed' }),
  default: 'open', // a rule of safety demands a choice beyond this machine
  defaultText: 'open where the issuer is on this machine, else it must be given',
  help: 'whether strangers may register at POST /users: open or closed',
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
  help: 'a Standard Schema for fields that users have beside the built-in ones',
  excludedBy: 'users',
  findFaults(schema) {
    const reserved = findReservedFields(schema)
    return reserved.length > 0
      ? [`must not have ${reserved.join(', ')}: Keystile has its own; choose other names`]
      : []
  },
}

/** The current password, which a change asks for, by session: 100 a day. */
export const proofRate: LimitRate = {
  name: 'proof',
  burst: 10,
  intervalMilliseconds: 16 * minuteMilliseconds,
}

/** E-mail addresses that a user asks for. The answer tells whether an address is taken. */
export const emailRate: LimitRate = {
  name: 'email',
  burst: 10,
  intervalMilliseconds: 16 * minuteMilliseconds,
}

/** Changes of a profile by its owner. Each writes an audit entry and up to 64 KiB of profile. */
export const profileRate: LimitRate = {
  name: 'profile',
  burst: 60,
  intervalMilliseconds: minuteMilliseconds,
}

/** Registrations at an address. */
export const registrationRate: LimitRate = {
  name: 'registration',
  burst: 50,
  intervalMilliseconds: 2 * minuteMilliseconds,
}

/** Keystile's own users: registration, the own account, and all accounts for administrators. */
export const feature: Feature<AccountOptions<object>, AccountEvent, RuleOptions, Options> = {
  name: 'accounts',
  settings: listSettings<AccountOptions<object>>({ registration, profile }),
  rules,
  auditEvents,
  rates: [proofRate, emailRate, profileRate, registrationRate],
  cliCommands,
}
