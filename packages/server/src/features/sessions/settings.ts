import type { DefaultedSetting } from '../../feature/setting.ts'
import { daySeconds, parseWholeNumber, seconds } from '../../feature/values.ts'
import { maxAccessTokenSeconds } from './lifetimes.ts'

const maxSessionSeconds = 400 * daySeconds

export const accessTokenSeconds: DefaultedSetting<'accessTokenSeconds', number> = {
  name: 'accessTokenSeconds',
  takenBy: 'both',
  schema: seconds(10, maxAccessTokenSeconds),
  default: 600,
  unit: 'seconds',
  help: 'how long an access token lives',
  environment: ['KEYSTILE_ACCESS_TOKEN_SECONDS'],
  parse: parseWholeNumber,
}

export const sessionSeconds: DefaultedSetting<'sessionSeconds', number> = {
  name: 'sessionSeconds',
  takenBy: 'both',
  schema: seconds(60, maxSessionSeconds),
  default: 30 * daySeconds,
  defaultText: `${30 * daySeconds} (30 days)`,
  unit: 'seconds',
  help: 'how long a login lasts, however often it is refreshed',
  environment: ['KEYSTILE_SESSION_SECONDS'],
  parse: parseWholeNumber,
}

export const idleSeconds: DefaultedSetting<'idleSeconds', number> = {
  name: 'idleSeconds',
  takenBy: 'both',
  schema: seconds(60, maxSessionSeconds),
  default: 14 * daySeconds,
  defaultText: `${14 * daySeconds} (14 days)`,
  unit: 'seconds',
  help: 'how long a login lasts without a refresh',
  environment: ['KEYSTILE_IDLE_SECONDS'],
  parse: parseWholeNumber,
}

export const graceSeconds: DefaultedSetting<'graceSeconds', number> = {
  name: 'graceSeconds',
  takenBy: 'both',
  schema: seconds(0, 60),
  default: 10,
  unit: 'seconds',
  help: 'how long a used refresh token is answered with its successor again; 0 turns that off',
  environment: ['KEYSTILE_GRACE_SECONDS'],
  parse: parseWholeNumber,
}
