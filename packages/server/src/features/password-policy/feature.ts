import type { Feature } from '../../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../../feature/setting.ts'
import { parseWholeNumber, wholeNumber } from '../../feature/values.ts'
import { defaultMinLength, leastMinLength, maxMinLength } from './policy.ts'

export interface PasswordPolicyOptions {
  /**
   * Characters that a new password has at least, 8 to 64. Default: 15. Fewer only where a second
   * factor is asked for as well (NIST SP 800-63B-4 §3.1.1.2).
   */
  readonly passwordMinLength?: number
}

const passwordMinLength: DefaultedSetting<'passwordMinLength', number> = {
  name: 'passwordMinLength',
  takenBy: 'both',
  schema: wholeNumber(leastMinLength, maxMinLength, { why: ' (NIST SP 800-63B-4 §3.1.1.2)' }),
  default: defaultMinLength,
  unit: 'characters',
  help: 'the least length of a new password; fewer than 15 only beside a second factor',
  environment: ['KEYSTILE_PASSWORD_MIN_LENGTH'],
  parse: parseWholeNumber,
  excludedBy: 'users',
}

/** What is asked of a new password. */
export const feature: Feature<PasswordPolicyOptions> = {
  name: 'password-policy',
  settings: listSettings<PasswordPolicyOptions>({ passwordMinLength }),
}
