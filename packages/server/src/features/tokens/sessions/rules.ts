// The safety rules for the lifetimes of sessions and tokens. All rules only warn, because a long
// lifetime can be a deliberate choice. Each limit comes from the standard that its rule names.

import type { Rule } from '../../../feature/rule.ts'
import { daySeconds } from '../../../feature/values.ts'
import { defaultLifetimes } from './lifetimes.ts'

const longestAccessTokenSeconds = 60 * 60
const longestSessionSeconds = 30 * daySeconds
const longestGraceSeconds = 30

export interface RuleOptions {
  readonly accessTokenSeconds?: number | undefined
  readonly sessionSeconds?: number | undefined
  readonly idleSeconds?: number | undefined
  readonly graceSeconds?: number | undefined
}

/** The safety rules for lifetimes, in the order in which docs/reference/doctor.md lists them. */
export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'access-token-short',
    standard: 'RFC 6750 §5.3',
    severity: 'warn',
    demand: 'an access token must expire within an hour',
    find: ({ options: { accessTokenSeconds = defaultLifetimes.accessTokenSeconds } }, say) =>
      accessTokenSeconds > longestAccessTokenSeconds
        ? [
            {
              about: say.name('accessTokenSeconds'),
              message:
                `is ${accessTokenSeconds}: an attacker can use a stolen access token ` +
                'for that many seconds, and no API can notice it',
              fix: `${say.set('accessTokenSeconds', longestAccessTokenSeconds)} or less`,
            },
          ]
        : [],
  },
  {
    id: 'session-short',
    standard: 'SP 800-63B-4 §2.1.3',
    severity: 'warn',
    demand: 'a session must expire within 30 days',
    find: ({ options: { sessionSeconds = defaultLifetimes.sessionSeconds } }, say) =>
      sessionSeconds > longestSessionSeconds
        ? [
            {
              about: say.name('sessionSeconds'),
              message:
                `is ${sessionSeconds}: NIST SP 800-63B-4 §2.1.3 requires ` +
                'people to log in again after at most 30 days',
              fix: `${say.set('sessionSeconds', longestSessionSeconds)} or less`,
            },
          ]
        : [],
  },
  {
    id: 'idle-short',
    standard: 'ASVS 5.0 7.3.1',
    severity: 'warn',
    demand:
      'if a session can last more than 30 days, ' +
      'it must expire after at most 30 days without a refresh',
    find({ options }, say) {
      const {
        sessionSeconds = defaultLifetimes.sessionSeconds,
        idleSeconds = defaultLifetimes.idleSeconds,
      } = options
      if (Math.min(sessionSeconds, idleSeconds) <= longestSessionSeconds) return []
      const message = `is ${idleSeconds}: a forgotten session stays open for more than 30 days`
      return [
        {
          about: say.name('idleSeconds'),
          message,
          fix: `${say.set('idleSeconds', defaultLifetimes.idleSeconds)} or less`,
        },
      ]
    },
  },
  {
    id: 'grace-short',
    standard: 'RFC 9700 §4.14.2',
    severity: 'warn',
    demand:
      '`graceSeconds` must be 30 or less: for this time, a used refresh token still returns the ' +
      'same new refresh token',
    find: ({ options: { graceSeconds = defaultLifetimes.graceSeconds } }, say) =>
      graceSeconds > longestGraceSeconds
        ? [
            {
              about: say.name('graceSeconds'),
              message:
                `is ${graceSeconds}: for that many seconds, ` +
                'the use of a stolen refresh token looks like a retry by the owner',
              fix: `${say.set('graceSeconds', longestGraceSeconds)} or less`,
            },
          ]
        : [],
  },
]
