import type { Rule } from '../../../feature/rule.ts'
import type { SecondFactorChoice } from '../../credentials/second-factors/choice.ts'

export interface RuleOptions {
  readonly secondFactor?: SecondFactorChoice | undefined
  readonly key?: string | undefined
  readonly signingKey?: unknown
}

export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'factor-key',
    standard: 'ASVS 5.0 13.3.1',
    severity: 'stop',
    demand:
      'if signingKey is set and second factors are on, the setting key must be set too: key ' +
      'encrypts the secrets of authenticator apps, and signingKey is replaced too often for that',
    find: ({ options: { secondFactor, key, signingKey }, unread }, say) =>
      secondFactor !== undefined &&
      secondFactor !== 'off' &&
      signingKey !== undefined &&
      key === undefined &&
      !unread.has('key')
        ? [
            {
              about: say.name('key'),
              message:
                'must be given beside signingKey: it encrypts the secrets of authenticator apps',
              fix: `make one with: openssl rand -base64 32, and set ${say.name('key')}`,
            },
          ]
        : [],
  },
]
