import { existsSync } from 'node:fs'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { CheckedOptions } from '../server/options.ts'
import { isPostgresUrl } from '../storage/open.ts'

/** @throws {ConfigurationError} for a mistyped path: it would make a new database, in which nobody is found */
export function requireExisting(database: CheckedOptions['database']): typeof database {
  if (typeof database === 'string' && !isPostgresUrl(database) && !existsSync(database))
    throw new ConfigurationError(`there is no database ${database}`)
  return database
}
