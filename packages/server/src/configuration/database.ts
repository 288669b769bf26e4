import * as z from 'zod'
import { howToEncodePassword } from '../base/url-password.ts'
import type { Feature } from '../feature/feature.ts'
import type { GaugeMetric } from '../feature/metric.ts'
import { listSettings, type DefaultedSetting, type Setting } from '../feature/setting.ts'
import { filledString, parseBoolean, trueOrFalse } from '../feature/values.ts'
import { hasPassword, isBrokenPostgresUrl, isForeignUrl } from '../storage/database-url.ts'
import type { Pool } from '../storage/postgres-client.ts'
import { databaseRules, type DatabaseRuleOptions } from './database-rules.ts'

export interface DatabaseOptions {
  /**
   * A file, a `postgres:` URL, or your own pool of `pg`, which `close` does not close. `:memory:`
   * is for tests: it is a file in a temporary folder, which `close` deletes. If the process is
   * killed, the file stays and contains password hashes.
   */
  readonly database: string | Pool
  /**
   * Whether Keystile starts on a PostgreSQL whose setting `fsync` is off. Use `true` only for
   * tests: a crash of the machine of PostgreSQL may damage the whole database, or may lose commits,
   * so that revoked sessions become valid again. With `false`, the default, Keystile does not
   * start.
   */
  readonly dangerouslyAllowLostCommits?: boolean
}

const databaseForm = "must be a file, ':memory:' or a postgres: URL"

/**
 * Returns the end of an error message about a source that is not a database, such as
 * `; it is a mysql: URL`. Names no scheme without `//`, because the part before the colon may be a
 * user name.
 */
function detailOf(source: string): string {
  if (source.trim() !== source) return ', without white space at its ends'
  const scheme = /^[\w+.-]+:(?=\/\/)/.exec(source)?.[0]
  return scheme === undefined ? '' : `; it is a ${scheme} URL`
}

const database: Setting<'database', string | Pool> = {
  name: 'database',
  takenBy: 'both',
  schema: z.union(
    [
      filledString,
      z.custom<Pool>((value) => typeof (value as Pool | null)?.connect === 'function'),
    ],
    { error: `${databaseForm}, or a pool of pg` },
  ),
  standAloneDefault: () => 'data/keystile.db',
  defaultText: 'data/keystile.db',
  help: 'a SQLite file or a postgres: URL',
  environment: ['KEYSTILE_DATABASE', 'DATABASE_URL'],
  isSecret: true,
  holdsSecret: (source) => typeof source !== 'string' || hasPassword(source),
  // Without this check, SQLite would create a file with the name `mysql:…`.
  findFaults(source) {
    if (typeof source !== 'string') return []
    if (isBrokenPostgresUrl(source)) return [`must be a valid URL: ${howToEncodePassword}`]
    return isForeignUrl(source) ? [databaseForm + detailOf(source)] : []
  },
}

const dangerouslyAllowLostCommits: DefaultedSetting<'dangerouslyAllowLostCommits', boolean> = {
  name: 'dangerouslyAllowLostCommits',
  takenBy: 'both',
  schema: trueOrFalse,
  default: false,
  help: 'true accepts a PostgreSQL that a crash may damage (fsync off), for tests',
  environment: ['KEYSTILE_DANGEROUSLY_ALLOW_LOST_COMMITS'],
  parse: parseBoolean,
}

export const writeQueueLength: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_write_queue_length',
  help: 'Database commands that are waiting or running.',
}

/** The database: its setting, and the rules for its files, its durability and its clock. */
export const feature: Feature<DatabaseOptions, never, DatabaseRuleOptions> = {
  name: 'database',
  settings: listSettings<DatabaseOptions>({ database, dangerouslyAllowLostCommits }),
  rules: databaseRules,
  metrics: [writeQueueLength],
}
