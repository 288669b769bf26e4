import { isLoopback } from '../../base/this-machine.ts'
import type { Rule } from '../../feature/rule.ts'
import { isPublic } from '../../feature/situation.ts'
import { show } from '../../feature/wording.ts'

export interface RuleOptions {
  readonly issuer?: string | undefined
  readonly registration?: 'open' | 'closed' | undefined
  readonly rateLimits?: 'on' | 'off' | undefined
  readonly users?: unknown
}

export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'registration-said',
    standard: 'CWE-1188',
    severity: 'stop',
    demand: 'beyond this machine, it is said whether strangers may register',
    find(situation, say) {
      const { bind, unread, options } = situation
      const isSaid = options.registration !== undefined || unread.has('registration')
      if (isSaid || options.users !== undefined || unread.has('users') || !isPublic(situation))
        return []
      const where =
        bind && !isLoopback(bind.host)
          ? `when listening on ${show(bind.host)}`
          : 'where the issuer is not on this machine'
      return [
        {
          about: say.name('registration'),
          message: `must be given ${where}: open lets every stranger make an account, closed leaves it to you`,
          mend: `${say.set('registration', 'closed')}, or open`,
        },
      ]
    },
  },
  {
    id: 'registration-limited',
    standard: 'ASVS 5.0 2.4.1',
    severity: 'warn',
    demand: 'beyond this machine, registration is not open without rate limits',
    find: (situation, say) =>
      situation.options.registration === 'open' &&
      situation.options.rateLimits === 'off' &&
      isPublic(situation)
        ? [
            {
              about: say.name('registration'),
              message:
                'is open without rate limits: every stranger can make any number of accounts',
              mend: `${say.set('registration', 'closed')}, or ${say.set('rateLimits', 'on')}`,
            },
          ]
        : [],
  },
]
