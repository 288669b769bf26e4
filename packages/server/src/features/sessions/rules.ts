import type { Rule } from '../../feature/rule.ts'
import { defaultLifetimes } from './lifetimes.ts'

const daySeconds = 24 * 60 * 60
const longestAccessTokenSeconds = 60 * 60
const longestSessionSeconds = 30 * daySeconds
const longestGraceSeconds = 30

export interface RuleOptions {
  readonly accessTokenSeconds?: number | undefined
  readonly sessionSeconds?: number | undefined
  readonly idleSeconds?: number | undefined
  readonly graceSeconds?: number | undefined
}

export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'access-token-short',
    standard: 'RFC 6750 §5.3',
    severity: 'warn',
    demand: 'an access token lives an hour or less',
    find: ({ options: { accessTokenSeconds = defaultLifetimes.accessTokenSeconds } }, say) =>
      accessTokenSeconds > longestAccessTokenSeconds
        ? [
            {
              about: say.name('accessTokenSeconds'),
              message: `is ${accessTokenSeconds}: a stolen access token is good for that long, and cannot be told from the owner’s`,
              mend: `${say.set('accessTokenSeconds', longestAccessTokenSeconds)} or less: clients refresh`,
            },
          ]
        : [],
  },
  {
    id: 'session-short',
    standard: 'SP 800-63B-4 §2.1.3',
    severity: 'warn',
    demand: 'a login lasts 30 days or less',
    find: ({ options: { sessionSeconds = defaultLifetimes.sessionSeconds } }, say) =>
      sessionSeconds > longestSessionSeconds
        ? [
            {
              about: say.name('sessionSeconds'),
              message: `is ${sessionSeconds}: NIST SP 800-63B-4 §2.1.3 has people log in again after no more than 30 days`,
              mend: `${say.set('sessionSeconds', longestSessionSeconds)} or less`,
            },
          ]
        : [],
  },
  {
    id: 'idle-short',
    standard: 'ASVS 5.0 7.3.1',
    severity: 'warn',
    demand: 'a login of more than 30 days ends after 30 days without use',
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
          mend: `${say.set('idleSeconds', defaultLifetimes.idleSeconds)} or less`,
        },
      ]
    },
  },
  {
    id: 'grace-short',
    standard: 'RFC 9700 §4.14.2',
    severity: 'warn',
    demand: 'a used refresh token is answered again for 30 s at most',
    find: ({ options: { graceSeconds = defaultLifetimes.graceSeconds } }, say) =>
      graceSeconds > longestGraceSeconds
        ? [
            {
              about: say.name('graceSeconds'),
              message: `is ${graceSeconds}: for that long, a copied refresh token is not told from one that was sent twice`,
              mend: `${say.set('graceSeconds', longestGraceSeconds)} or less`,
            },
          ]
        : [],
  },
]
