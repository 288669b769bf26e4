import type { Rule } from '../../feature/rule.ts'
import { isPublic } from '../../feature/situation.ts'

interface Options {
  readonly issuer?: string | undefined
  readonly rateLimits?: 'on' | 'off' | undefined
}

export const rules: readonly Rule<Options>[] = [
  {
    id: 'rate-limits',
    standard: 'ASVS 5.0 6.3.1',
    severity: 'warn',
    demand: 'beyond this machine, rate limits are on',
    find: (situation, say) =>
      situation.options.rateLimits === 'off' && isPublic(situation)
        ? [
            {
              about: say.name('rateLimits'),
              message: 'is off: passwords can be guessed as fast as they are hashed',
              mend: `${say.set('rateLimits', 'on')}, unless something in front limits POST /token and POST /users`,
            },
          ]
        : [],
  },
]
