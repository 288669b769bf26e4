import * as z from 'zod'
import type { DefaultedSetting, Setting } from '../../feature/setting.ts'
import { findReservedFields, type ProfileSchema } from './profile.ts'

export const registration: DefaultedSetting<'registration', 'open' | 'closed'> = {
  name: 'registration',
  takenBy: 'both',
  schema: z.enum(['open', 'closed'], { error: 'must be open or closed' }),
  default: 'open', // a rule of safety demands a choice beyond this machine
  defaultText: 'open where the issuer is on this machine, else it must be given',
  help: 'whether strangers may register at POST /users: open or closed',
  environment: ['KEYSTILE_REGISTRATION'],
  excludedBy: 'users',
}

export const profile: Setting<'profile', ProfileSchema> = {
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
