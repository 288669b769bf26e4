import * as z from 'zod'
import { listSettings, type DefaultedSetting, type Setting, type SettingList } from '../../feature/setting.ts'
import { findReservedFields, type ProfileSchema } from './profile.ts'

export interface AccountOptions<P extends object> {
  /** Whether strangers may register at `POST /users`. Default: open where the issuer is on this machine; else it must be said. */
  readonly registration?: 'open' | 'closed'
  /**
   * A schema for fields of a user beside ours, by the Standard Schema specification. A profile is at most 64 KiB of
   * JSON. It has no field of a name that is Keystile's own (`id`, `username`, `email`, `email_verified`,
   * `created_at`, `password`, `scopes`, `roles`, `disabled`) or every object's (`constructor`, `toJSON`).
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
    return reserved.length > 0 ? [`must not have ${reserved.join(', ')}: Keystile has its own; choose other names`] : []
  },
}

export const settings: SettingList<AccountOptions<object>> = listSettings<AccountOptions<object>>({
  registration,
  profile,
})
