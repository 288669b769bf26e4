import type { Feature } from '../../feature/feature.ts'
import type { Rule } from '../../feature/rule.ts'
import { listSettings, type DefaultedSetting } from '../../feature/setting.ts'
import { isPublic } from '../../feature/situation.ts'
import { onOrOff } from '../../feature/values.ts'
import { purgeRates } from './store.ts'

export interface LimitOptions {
  /**
   * Whether guesses are limited: logins by account and by address, and what else can be guessed or
   * filled up. `off` is for those who do it in front of Keystile. Default: on.
   */
  readonly rateLimits?: 'on' | 'off'
}

const rateLimits: DefaultedSetting<'rateLimits', 'on' | 'off'> = {
  name: 'rateLimits',
  takenBy: 'both',
  schema: onOrOff,
  default: 'on',
  help: 'whether guesses are limited; off is for servers behind something that limits them',
  environment: ['KEYSTILE_RATE_LIMITS'],
}

interface RuleOptions {
  readonly issuer?: string | undefined
  readonly rateLimits?: 'on' | 'off' | undefined
}

const limitsAreOn: Rule<RuleOptions> = {
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
}

/** The clock of another process that counts may be behind by so much. */
const marginMilliseconds = 60_000

/** How often somebody may guess, counted in the database. */
export const feature: Feature<LimitOptions, never, RuleOptions> = {
  name: 'limits',
  settings: listSettings<LimitOptions>({ rateLimits }),
  rules: [limitsAreOn],
  cleanUp: [
    // Limits of which nothing is used up.
    { command: purgeRates, time: 'clock', before: (time) => time - marginMilliseconds },
  ],
}
