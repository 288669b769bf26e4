import { isLoopback } from '../../../base/this-machine.ts'
import type { Rule } from '../../../feature/rule.ts'
import { show } from '../../../feature/shown-value.ts'
import { isPublic } from '../../../feature/situation.ts'
import { builtInScopes } from '../scopes/scopes.ts'

export interface RuleOptions {
  readonly issuer?: string | undefined
  readonly registration?: 'open' | 'closed' | undefined
  readonly rateLimits?: 'on' | 'off' | undefined
  readonly users?: unknown
  readonly defaultScopes?: readonly string[] | undefined
}

/**
 * Safety rules for registration, so that an operator does not open registration to everyone by
 * mistake.
 */
export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'registration-said',
    standard: 'CWE-1188',
    severity: 'stop',
    demand: 'registration must be set to open or closed when other machines can reach the server',
    find(situation, say) {
      const { bind, unread, options } = situation
      const isSaid = options.registration !== undefined || unread.has('registration')
      const hasOwnUsers = options.users !== undefined || unread.has('users')
      if (isSaid || hasOwnUsers || !isPublic(situation)) return []

      const where =
        bind && !isLoopback(bind.host)
          ? `when listening on ${show(bind.host)}`
          : 'when the issuer is not on this machine'
      const choice = 'with open, anyone can create an account; with closed, only you can'
      const message = `must be given ${where}: ${choice}`
      const fix = `${say.set('registration', 'closed')}, or open`
      return [{ about: say.name('registration'), message, fix }]
    },
  },
  {
    id: 'registration-limited',
    standard: 'ASVS 5.0 2.4.1',
    severity: 'warn',
    demand: 'open registration requires rate limits when other machines can reach the server',
    find(situation, say) {
      const { registration, rateLimits } = situation.options
      if (registration !== 'open' || rateLimits !== 'off' || !isPublic(situation)) return []

      const message = 'is open without rate limits: anyone can create any number of accounts'
      const fix = `${say.set('registration', 'closed')}, or ${say.set('rateLimits', 'on')}`
      return [{ about: say.name('registration'), message, fix }]
    },
  },
  {
    id: 'registration-unprivileged',
    standard: 'ASVS 5.0 8.2.1',
    severity: 'stop',
    demand:
      'default scopes must not have users:read or users:write while registration is open and ' +
      'other machines can reach the server',
    find(situation, say) {
      const { registration, defaultScopes = [] } = situation.options
      if (registration !== 'open' || !isPublic(situation)) return []

      const about = say.name('defaultScopes')
      return defaultScopes
        .filter((name) => Object.hasOwn(builtInScopes, name))
        .map((name) => ({
          about,
          message:
            `must not have ${show(name)} while ${say.name('registration')} is open: ` +
            'anyone could create an account that has it',
          fix: `take it out and give it to single users, or ${say.set('registration', 'closed')}`,
        }))
    },
  },
]
