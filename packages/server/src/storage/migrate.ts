import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import * as first from './migrations/0001-first.ts'
import * as refreshTokens from './migrations/0002-refresh-tokens.ts'
import * as clients from './migrations/0003-clients.ts'
import * as audit from './migrations/0004-audit.ts'
import * as housekeeping from './migrations/0005-housekeeping.ts'
import * as limits from './migrations/0006-limits.ts'
import * as passwordSession from './migrations/0007-password-session.ts'
import * as mail from './migrations/0008-mail.ts'
import { isPostgres, type Reader } from './database.ts'

/** All migrations. Kysely runs them in the order of their names. Never change an old migration. */
const migrations = {
  '0001-first': first,
  '0002-refresh-tokens': refreshTokens,
  '0003-clients': clients,
  '0004-audit': audit,
  '0005-housekeeping': housekeeping,
  '0006-limits': limits,
  '0007-password-session': passwordSession,
  '0008-mail': mail,
}

/**
 * The PostgreSQL schema of all tables. It separates them from the tables of an app that uses the
 * same database.
 */
export const schema = 'keystile'

/**
 * Runs all missing migrations. If one fails, none of them takes effect. When several processes
 * start at the same time, one migrates and the others wait.
 *
 * @throws {Error} if a migration fails, or a newer version of Keystile has used the database
 */
export async function migrate(db: Reader): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
    ...(isPostgres(db) && { migrationTableSchema: schema }),
  })
  const { error } = await migrator.migrateToLatest()
  if (!error) return

  const message = error instanceof Error ? error.message : 'the migration failed'
  throw new Error(
    message.startsWith('corrupted migrations')
      ? 'the database was used by a newer version of Keystile; install that version or a newer one'
      : message,
    { cause: error },
  )
}

/** Whether a table exists. A table may be missing because the database was not migrated yet. */
export async function hasTable(reader: Reader, table: string): Promise<boolean> {
  const query = isPostgres(reader)
    ? sql`select 1 where to_regclass(${`${schema}.${table}`}) is not null`
    : sql`select 1 from sqlite_master where type = 'table' and name = ${table}`
  return (await query.execute(reader)).rows.length > 0
}
