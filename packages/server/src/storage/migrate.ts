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
import * as mailProofs from './migrations/0009-mail-proofs.ts'
import * as appEvents from './migrations/0010-app-events.ts'
import * as pendingRegistrations from './migrations/0011-pending-registrations.ts'
import * as emailChanges from './migrations/0012-email-changes.ts'
import * as proofClaims from './migrations/0013-proof-claims.ts'
import * as proofAllowances from './migrations/0014-proof-allowances.ts'
import * as keyRotation from './migrations/0015-key-rotation.ts'
import * as indexesForManyRows from './migrations/0017-indexes-for-many-rows.ts'
import { inTables, isPostgres, type Reader } from './database.ts'

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
  '0009-mail-proofs': mailProofs,
  '0010-app-events': appEvents,
  '0011-pending-registrations': pendingRegistrations,
  '0012-email-changes': emailChanges,
  '0013-proof-claims': proofClaims,
  '0014-proof-allowances': proofAllowances,
  '0015-key-rotation': keyRotation,
  '0017-indexes-for-many-rows': indexesForManyRows,
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

/** Which migrations have run in a database, and whether its user may run the missing ones. */
export interface MigrationFacts {
  readonly missing: number
  /** The number of migrations that only a newer version of Keystile knows. */
  readonly unknown: number
  readonly mayMigrate: boolean
}

/** Reads which migrations have run. Changes nothing. */
export async function inspectMigrations(reader: Reader): Promise<MigrationFacts> {
  const db = inTables<{ migration: { readonly name: string } }>(reader)
  const hasRun = (await hasTable(reader, 'migration'))
    ? (await db.selectFrom('migration').select('name').execute()).map(({ name }) => name)
    : []
  const names = Object.keys(migrations)
  return {
    missing: names.filter((name) => !hasRun.includes(name)).length,
    unknown: hasRun.filter((name) => !names.includes(name)).length,
    mayMigrate: !isPostgres(reader) || (await mayMigratePostgres(reader)),
  }
}

/**
 * Whether the user may create the schema, or create tables in it and alter those that are there.
 * Only the owner of a table may alter it.
 */
async function mayMigratePostgres(reader: Reader): Promise<boolean> {
  const { rows } = await sql<{ may: string }>`
    select case
      when to_regnamespace(${schema}) is null
        then has_database_privilege(current_database(), 'create')
      else has_schema_privilege(${schema}, 'create') and not exists (
        select 1 from pg_class where relnamespace = to_regnamespace(${schema})
          and relkind = 'r' and not pg_has_role(relowner, 'usage'))
      end::text as may`.execute(reader)
  return rows[0]?.may === 'true'
}

/** Whether a table exists. A table may be missing because the database was not migrated yet. */
export async function hasTable(reader: Reader, table: string): Promise<boolean> {
  const query = isPostgres(reader)
    ? sql`select 1 where to_regclass(${`${schema}.${table}`}) is not null`
    : sql`select 1 from sqlite_master where type = 'table' and name = ${table}`
  return (await query.execute(reader)).rows.length > 0
}
