import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import * as first from './migrations/0001-first.ts'
import * as refreshTokens from './migrations/0002-refresh-tokens.ts'
import * as clients from './migrations/0003-clients.ts'
import * as audit from './migrations/0004-audit.ts'
import * as housekeeping from './migrations/0005-housekeeping.ts'
import * as limits from './migrations/0006-limits.ts'
import * as passwordSession from './migrations/0007-password-session.ts'
import { isPostgres, type Reader } from './database.ts'

const migrations = {
  '0001-first': first,
  '0002-refresh-tokens': refreshTokens,
  '0003-clients': clients,
  '0004-audit': audit,
  '0005-housekeeping': housekeeping,
  '0006-limits': limits,
  '0007-password-session': passwordSession,
}

/**
 * Where the tables lie on PostgreSQL, so that an app's own database can hold them beside its own.
 */
export const schema = 'keystile'

/**
 * Brings the database to the present layout, or leaves it as it was. Several processes may start at
 * once: one migrates, the others wait.
 *
 * @throws {Error} when a migration fails, or the database was used by a newer Keystile
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
      ? 'the database was written by a newer version of Keystile; use that version'
      : message,
    { cause: error },
  )
}

/** Whether a table is there. A database that was not brought to the present layout may lack it. */
export async function hasTable(reader: Reader, table: string): Promise<boolean> {
  const query = isPostgres(reader)
    ? sql`select 1 where to_regclass(${`${schema}.${table}`}) is not null`
    : sql`select 1 from sqlite_master where type = 'table' and name = ${table}`
  return (await query.execute(reader)).rows.length > 0
}
