import { countOf } from '../../../feature/count.ts'
import type { Rule } from '../../../feature/rule.ts'
import type { SecondFactorChoice } from '../../credentials/second-factors/factor-choice.ts'

export interface RuleOptions {
  readonly secondFactor?: SecondFactorChoice | undefined
  readonly key?: string | undefined
  readonly previousKey?: string | undefined
  readonly signingKey?: unknown
}

/** Safety rules for the key that encrypts the secrets of authenticator apps. */
export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'factor-key',
    standard: 'ASVS 5.0 13.3.1',
    severity: 'stop',
    demand:
      'if `signingKey` is set and second factors are on, `key` must be set too: it encrypts the ' +
      'secrets of authenticator apps, and `signingKey` is replaced too often for that',
    find({ options: { secondFactor = 'off', key, signingKey }, unread }, say) {
      const isKeyGiven = key !== undefined || unread.has('key')
      if (secondFactor === 'off' || signingKey === undefined || isKeyGiven) return []

      const about = say.name('key')
      const message =
        'must be given beside signingKey: it encrypts the secrets of authenticator apps'
      return [{ about, message, fix: `make one with: openssl rand -base64 32, and set ${about}` }]
    },
  },
  {
    id: 'factor-key-opens',
    standard: 'ASVS 5.0 11.2.2',
    severity: 'stop',
    demand:
      '`key` or `previousKey` must decrypt the secrets of the authenticator apps in the database ' +
      '(a start checks 1,000 of them; `keystile doctor` checks all of them)',
    find({ options: { key }, unread, machine }, say) {
      const { database, keyFile } = machine ?? {}
      if (database === undefined || database.kind === 'unavailable') return undefined
      const isUnknown = ['key', 'previousKey', 'signingKey'].some((name) => unread.has(name))
      if (database.apps === undefined || isUnknown) return undefined

      const { checked, unreadable } = database.apps
      if (unreadable === 0) return []
      return [
        {
          about: key === undefined && keyFile ? `the file ${keyFile.path}` : say.name('key'),
          message:
            'must decrypt the secrets of the authenticator apps in this database; ' +
            `of ${countOf(checked, 'app')}, it cannot decrypt ${unreadable}`,
          fix:
            `give the key that encrypted them as ${say.name('key')}, or, if you replaced it, as ` +
            `${say.name('previousKey')}; if it is lost, run keystile user reset-factors ` +
            'for each user who has an app',
        },
      ]
    },
  },
]
