import { clockMarginMilliseconds } from '../../../feature/clean-up.ts'
import type { Feature } from '../../../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { daySeconds, parseWholeNumber, seconds } from '../../../feature/values.ts'
import { auditEvents, type SessionEvent } from './audit-events.ts'
import { defaultLifetimes, maxAccessTokenSeconds } from './lifetimes.ts'
import { purgeSessions } from './purge-store.ts'
import { rules, type RuleOptions } from './rules.ts'

export interface SessionOptions {
  /** Lifetime of an access token in seconds, 10 to 86,400. Default: 600. */
  readonly accessTokenSeconds?: number
  /**
   * Lifetime of a session in seconds from its login: 60 to 34,560,000 (400 days). Refreshes do not
   * extend it. Default: 30 days. A change of this option applies only to new logins.
   */
  readonly sessionSeconds?: number
  /** Lifetime in seconds of a session that is not refreshed: 60 to 34,560,000. Default: 14 days. */
  readonly idleSeconds?: number
  /**
   * Grace period of a used refresh token in seconds, 0 to 60. If a client sends the used token
   * again within this time, the client gets the new token again. So a client can retry if an answer
   * was lost. Default: 10. With 0, a refresh token works only once, and a client that retries is
   * logged out.
   */
  readonly graceSeconds?: number
}

/**
 * The longest lifetime of a session that can be set. Browsers keep a cookie for at most 400 days.
 */
const maxSessionSeconds = 400 * daySeconds

const accessTokenSeconds: DefaultedSetting<'accessTokenSeconds', number> = {
  name: 'accessTokenSeconds',
  takenBy: 'both',
  schema: seconds(10, maxAccessTokenSeconds),
  default: defaultLifetimes.accessTokenSeconds,
  unit: 'seconds',
  help: 'how long an access token lives',
  environment: ['KEYSTILE_ACCESS_TOKEN_SECONDS'],
  parse: parseWholeNumber,
}

const sessionSeconds: DefaultedSetting<'sessionSeconds', number> = {
  name: 'sessionSeconds',
  takenBy: 'both',
  schema: seconds(60, maxSessionSeconds),
  default: defaultLifetimes.sessionSeconds,
  defaultText: `${defaultLifetimes.sessionSeconds} (30 days)`,
  unit: 'seconds',
  help: 'the longest lifetime of a session, even with refreshes',
  environment: ['KEYSTILE_SESSION_SECONDS'],
  parse: parseWholeNumber,
}

const idleSeconds: DefaultedSetting<'idleSeconds', number> = {
  name: 'idleSeconds',
  takenBy: 'both',
  schema: seconds(60, maxSessionSeconds),
  default: defaultLifetimes.idleSeconds,
  defaultText: `${defaultLifetimes.idleSeconds} (14 days)`,
  unit: 'seconds',
  help: 'how long a session lasts without a refresh',
  environment: ['KEYSTILE_IDLE_SECONDS'],
  parse: parseWholeNumber,
}

const graceSeconds: DefaultedSetting<'graceSeconds', number> = {
  name: 'graceSeconds',
  takenBy: 'both',
  schema: seconds(0, 60),
  default: defaultLifetimes.graceSeconds,
  unit: 'seconds',
  help: 'how long a used refresh token returns the same new refresh token; 0 turns this off',
  environment: ['KEYSTILE_GRACE_SECONDS'],
  parse: parseWholeNumber,
}

/** The lifetimes of sessions and tokens, and the clean-up of sessions that have expired. */
export const feature: Feature<SessionOptions, SessionEvent, RuleOptions> = {
  name: 'sessions',
  settings: listSettings<SessionOptions>({
    accessTokenSeconds,
    sessionSeconds,
    idleSeconds,
    graceSeconds,
  }),
  rules,
  auditEvents,
  cleanUp: [
    // Deletes the sessions whose refresh tokens and access tokens have all expired.
    { command: purgeSessions, time: 'recorded', before: (time) => time - clockMarginMilliseconds },
  ],
}
