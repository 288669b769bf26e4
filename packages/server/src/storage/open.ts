import type { Database } from './database.ts'
import { openPostgres } from './postgres.ts'
import { isPostgresUrl, type DatabaseSource } from './source.ts'
import { openSqlite } from './sqlite.ts'

/** Opens and migrates a database. */
export function openDatabase(source: DatabaseSource, writerThread: URL): Promise<Database> {
  return typeof source === 'string' && !isPostgresUrl(source)
    ? openSqlite(source, writerThread)
    : openPostgres(source)
}
