import type { Database } from './database.ts'
import { openPostgres, type Pool } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

/** Opens and migrates a database: a file, `:memory:`, a `postgres:` URL, or an application's own pool of pg. */
export function openDatabase(source: string | Pool, writerThread: URL): Promise<Database> {
  return typeof source === 'string' && !isPostgresUrl(source) ? openSqlite(source, writerThread) : openPostgres(source)
}

export function isPostgresUrl(source: string): boolean {
  return /^postgres(ql)?:\/\//.test(source)
}
