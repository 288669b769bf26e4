import type { Feature } from '../../../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { parseWholeNumber, wholeNumber } from '../../../feature/values.ts'
import { defaultMinLength, leastMinLength, maxMinLength } from './policy.ts'

export interface PasswordPolicyOptions {
  /**
   * The minimum number of characters of a new password, 8 to 64. Default: 15. Use fewer only with a
   * second factor (NIST SP 800-63B-4 §3.1.1.2).
   */
  readonly passwordMinLength?: number
}

const passwordMinLength: DefaultedSetting<'passwordMinLength', number> = {
  name: 'passwordMinLength',
  takenBy: 'both',
  schema: wholeNumber(leastMinLength, maxMinLength, { why: ' (NIST SP 800-63B-4 §3.1.1.2)' }),
  default: defaultMinLength,
  unit: 'characters',
  help:
    'the minimum length of a new password; ' +
    'fewer than 15 only if the app also asks for a second factor',
  environment: ['KEYSTILE_PASSWORD_MIN_LENGTH'],
  parse: parseWholeNumber,
}

export const feature: Feature<PasswordPolicyOptions> = {
  name: 'password-policy',
  settings: listSettings<PasswordPolicyOptions>({ passwordMinLength }),
}
