import type { Feature } from '../../../feature/feature.ts'
import type { Rule } from '../../../feature/rule.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { isPublic } from '../../../feature/situation.ts'
import { onOrOff } from '../../../feature/values.ts'
import { purgeRates } from './store.ts'

export interface LimitOptions {
  /**
   * Whether Keystile limits the rate of guesses. It limits logins per user name and per IP address,
   * and requests to every other endpoint where an attacker could guess secrets or fill the
   * database. Use `off` only if a proxy in front of Keystile limits these requests. Default: on.
   */
  readonly rateLimits?: 'on' | 'off'
}

const rateLimits: DefaultedSetting<'rateLimits', 'on' | 'off'> = {
  name: 'rateLimits',
  takenBy: 'both',
  schema: onOrOff,
  default: 'on',
  help: 'on or off: whether Keystile limits guesses; use off only if a proxy limits guesses',
  environment: ['KEYSTILE_RATE_LIMITS'],
}

interface RuleOptions {
  readonly issuer?: string | undefined
  readonly rateLimits?: 'on' | 'off' | undefined
}

/**
 * Warns if rate limits are off on a server that other machines can reach, because an attacker can
 * then guess passwords without limit.
 */
const limitsAreOn: Rule<RuleOptions> = {
  id: 'rate-limits',
  standard: 'ASVS 5.0 6.3.1',
  severity: 'warn',
  demand: 'rate limits must be on when other machines can reach the server',
  find: (situation, say) =>
    situation.options.rateLimits === 'off' && isPublic(situation)
      ? [
          {
            about: say.name('rateLimits'),
            message: 'is off: an attacker can guess passwords as fast as the server can hash them',
            fix:
              `${say.set('rateLimits', 'on')}, ` +
              'unless a proxy in front limits POST /token and POST /users',
          },
        ]
      : [],
}

/** How far the clock of another process may be behind the clock of this process. */
const marginMilliseconds = 60_000

/** Rate limits against guessing. The counts are in the database, so all processes share them. */
export const feature: Feature<LimitOptions, never, RuleOptions> = {
  name: 'limits',
  settings: listSettings<LimitOptions>({ rateLimits }),
  rules: [limitsAreOn],
  cleanUp: [
    // Deletes the rows of limits that have refilled completely.
    { command: purgeRates, time: 'clock', before: (time) => time - marginMilliseconds },
  ],
}
