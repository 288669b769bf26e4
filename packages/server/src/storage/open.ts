import type { Database } from './database.ts'
import { openPostgres } from './postgres.ts'
import { describeSource, isPostgresUrl, type DatabaseSource } from './source.ts'
import { openSqlite } from './sqlite.ts'

/**
 * Opens and migrates a database.
 *
 * @param writerThread the module that runs in a separate thread and writes to a SQLite file
 * @throws {DatabaseUnavailableError} when the database cannot be opened or migrated
 */
export function openDatabase(source: DatabaseSource, writerThread: URL): Promise<Database> {
  return typeof source === 'string' && !isPostgresUrl(source)
    ? openSqlite(source, writerThread)
    : openPostgres(source, describeSource(source))
}
