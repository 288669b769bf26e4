import type { Feature } from '../../../feature/feature.ts'
import type { Rule } from '../../../feature/rule.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { parseWholeNumber, wholeNumber } from '../../../feature/values.ts'
import { defaultMinLength, leastMinLength, maxMinLength } from './policy.ts'

export interface PasswordPolicyOptions {
  /**
   * The minimum number of characters of a new password, 8 to 64. Default: 15. Use fewer only if
   * each login needs a second factor (NIST SP 800-63B-4 §3.1.1.2).
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
    'fewer than 15 only if each login needs a second factor',
  environment: ['KEYSTILE_PASSWORD_MIN_LENGTH'],
  parse: parseWholeNumber,
}

export interface RuleOptions {
  readonly passwordMinLength?: number | undefined
  readonly secondFactor?: string | undefined
  readonly rememberFactorDays?: number | undefined
}

const shortPasswords: Rule<RuleOptions> = {
  id: 'password-length',
  standard: 'NIST SP 800-63B-4 §3.1.1.2',
  severity: 'warn',
  demand:
    `passwords may have fewer than ${defaultMinLength} characters only if each login needs ` +
    'a second factor',
  find({ options, unread }, say) {
    const { passwordMinLength: length = defaultMinLength, secondFactor } = options
    const { rememberFactorDays = 0 } = options
    // Only some users may need a factor by their roles, or by `needsFactor` of an app.
    const isRequired = secondFactor === 'required' || unread.has('secondFactor')
    const mayBeOnlyFactor = rememberFactorDays > 0 || !isRequired
    if (length >= defaultMinLength || !mayBeOnlyFactor) return []

    const name = 'passwordMinLength'
    const message =
      `must be at least ${defaultMinLength}, unless each login needs a second factor; ` +
      `it is ${length}`
    const everyLogin = rememberFactorDays > 0 ? ` and ${say.set('rememberFactorDays', 0)}` : ''
    const fix =
      `${say.set(name, defaultMinLength)}, ` +
      `or ${say.set('secondFactor', 'required')}${everyLogin}`
    return [{ about: say.name(name), message, fix }]
  },
}

export const feature: Feature<PasswordPolicyOptions, never, RuleOptions> = {
  name: 'password-policy',
  rules: [shortPasswords],
  settings: listSettings<PasswordPolicyOptions>({ passwordMinLength }),
}
