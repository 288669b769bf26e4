// Creates and upgrades the tables on PostgreSQL, also while servers of older releases run.
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import type { Reader } from './database.ts'
import { defaultTimes, underLockWithRetries, type Migrating } from './migration-lock.ts'
import { excludeOlderServers, readmitOlderServers, requireRaised } from './raised-mark.ts'
import { requireUpgradable } from './require-schema.ts'
import { runMissing } from './run-migrations.ts'
import { readSchemaState } from './schema-state.ts'
import { schema } from './schema.ts'

export type MigrateOptions = Partial<Pick<Migrating, 'report' | 'times'>>

/**
 * Runs the missing migrations in one transaction, under a lock. If one fails, none of them takes
 * effect. If another process runs migrations, waits for it.
 *
 * @param pool must have no timeout for queries
 * @returns the names of the migrations that it has run
 * @throws {ConfigurationError} if this release cannot upgrade the database
 * @throws {DatabaseUnavailableError} if another transaction has locked a table for too long
 * @throws {AggregateError} if a migration has failed and the schema mark could not be lowered again
 */
export async function migratePostgres(
  pool: PostgresPool,
  { report = () => {}, times = defaultTimes }: MigrateOptions = {},
): Promise<readonly string[]> {
  const db = openTables(pool)
  const before = await readSchemaState(db)
  requireUpgradable(before)
  if (before.missing.length === 0) return []

  const migrating = { db, times, report }
  const raised = await excludeOlderServers(migrating, before)
  try {
    return await underLockWithRetries(migrating, async (transaction) => {
      if (raised) await requireRaised(transaction, raised)
      return runMissing(transaction)
    })
  } catch (error) {
    if (raised)
      await readmitOlderServers(migrating, raised).catch((failure: unknown) => {
        throw new AggregateError([error, failure])
      })
    throw error
  }
}

/**
 * Creates the tables in an empty database, like `migratePostgres`. Leaves a database that has
 * tables as it is.
 *
 * @param pool must have no timeout for queries
 */
export async function createPostgresTables(pool: PostgresPool): Promise<void> {
  const db = openTables(pool)
  if (!(await isEmpty(db))) return

  const migrating = { db, times: defaultTimes, report: () => {} }
  await underLockWithRetries(migrating, async (transaction) => {
    // Another process may have created the tables while this one waited for the lock.
    if (await isEmpty(transaction)) await runMissing(transaction)
  })
}

function openTables(pool: PostgresPool): Reader {
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }).withSchema(schema)
}

async function isEmpty(reader: Reader): Promise<boolean> {
  return (await readSchemaState(reader)).isEmpty
}
