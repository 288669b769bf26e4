// The commands `backup` and `restore` work with SQLite files. For other databases, they say what to
// do instead.

import { ConfigurationError } from '../../../base/configuration-error.ts'
import { schema } from '../../../storage/schema.ts'
import {
  describeSource,
  findDatabaseFile,
  isOnServer,
  type DatabaseSource,
} from '../../../storage/source.ts'

/**
 * Returns the SQLite file of the settings.
 *
 * @throws {ConfigurationError} if the database is not a SQLite file. The message says what to run
 *   instead
 */
export function requireSqliteFile(source: DatabaseSource, verb: 'backup' | 'restore'): string {
  const file = findDatabaseFile(source)
  if (file !== undefined) return file
  if (!isOnServer(source))
    throw new ConfigurationError(
      'the database must be a file; a database in memory (:memory:) cannot be copied',
    )

  const url = typeof source === 'string' ? urlWithoutSecrets(source) : 'URL'
  throw new ConfigurationError(
    `keystile ${verb} is for SQLite files; this database is ${describeSource(source)}. ` +
      `Fix: ${fixes[verb](url)}`,
  )
}

/** What to do instead on PostgreSQL. */
const fixes = {
  backup: (url: string) =>
    `run  pg_dump --format=custom --schema=${schema} --file=FILE '${url}'  ` +
    '(or pg_basebackup, for all databases of the server)',
  restore: (url: string) =>
    `stop all servers, rename or drop the schema ${schema}, run  ` +
    `pg_restore --single-transaction --dbname='${url}' FILE  (both as a superuser, unless ` +
    'the role of this URL owns the database) and then run  keystile finish-restore',
}

/** Returns a URL without its password and its parameters, to print it. */
function urlWithoutSecrets(source: string): string {
  if (!URL.canParse(source)) return 'URL'
  const url = new URL(source)
  url.password = ''
  url.search = ''
  return url.href
}
