// Opens, migrates and inspects a database: each function chooses between SQLite and PostgreSQL.
import { Kysely } from 'kysely'
import { requireNode } from '../base/node-version.ts'
import type { Database } from './database.ts'
import { inspectDatabase } from './inspect.ts'
import { migratePostgres, type MigrateOptions } from './migrate-postgres.ts'
import { migrateSqlite } from './migrate-sqlite.ts'
import { errorWithFix } from './postgres-advice.ts'
import type { Pool } from './postgres-client.ts'
import { connectPostgres } from './postgres-pool.ts'
import { openPostgres } from './postgres.ts'
import { printMigrations, type PrintedDatabase } from './print-migrations.ts'
import { findAbsent } from './run-migrations.ts'
import {
  emptyFacts,
  readMigrationFacts,
  readSchemaState,
  type MigrationFacts,
} from './schema-state.ts'
import { describeSource, inMemory, isPostgresUrl, type DatabaseSource } from './source.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { createPrivateFile, openSqlite } from './sqlite.ts'

/**
 * Opens a database. Upgrades the tables of a SQLite file. On PostgreSQL, only creates the tables of
 * an empty database.
 *
 * @param writerThread the module that runs in a separate thread and writes to a SQLite file
 * @throws {ConfigurationError} if the tables on PostgreSQL are not of this release
 * @throws {DatabaseUnavailableError} when the database cannot be opened or migrated
 */
export function openDatabase(source: DatabaseSource, writerThread: URL): Promise<Database> {
  return isFile(source)
    ? openSqlite(source, writerThread)
    : openPostgres(source, describeSource(source))
}

/**
 * Creates the tables of Keystile, or upgrades them to this release. Does the same as the command
 * `keystile migrate`. Run it as the role that owns the tables, before the first server of a new
 * release starts: `createKeystile` does not upgrade tables on PostgreSQL. On SQLite,
 * `createKeystile` upgrades the file itself. If one migration fails, nothing is changed. If another
 * process runs migrations, waits for it.
 *
 * @param database a file, a `postgres:` URL, or your own pool of `pg`, which stays open
 * @returns the names of the migrations that have run; empty if there was nothing to do
 * @throws {TypeError} if this release cannot upgrade the database, because the tables are too new
 * @throws {Error} when the database cannot be opened, or a migration fails
 */
export async function migrateDatabase(database: string | Pool): Promise<readonly string[]> {
  requireNode()
  return runMigrations(database)
}

/** Does the same as `migrateDatabase`, with options for PostgreSQL. */
export async function runMigrations(
  source: DatabaseSource,
  options?: MigrateOptions,
): Promise<readonly string[]> {
  if (!isFile(source)) return migrateServer(source, options)
  if (source === inMemory) return [] // each start has a database of its own
  return migrateFile(source)
}

async function migrateServer(
  source: DatabaseSource,
  options?: MigrateOptions,
): Promise<readonly string[]> {
  const { migrationPool, close } = await connectPostgres(source)
  try {
    return await migratePostgres(migrationPool, options)
  } catch (error) {
    throw errorWithFix(`${describeSource(source)} cannot be migrated`, error)
  } finally {
    await close()
  }
}

async function migrateFile(file: string): Promise<readonly string[]> {
  createPrivateFile(file)
  const db = new Kysely<unknown>({ dialect: sqliteDialect(openSqliteFile(file, 'write')) })
  try {
    return await migrateSqlite(db)
  } finally {
    await db.destroy()
  }
}

/** Reads which migrations have run in a database. Changes nothing. */
export async function inspectSource(source: DatabaseSource): Promise<MigrationFacts> {
  return (await inspectDatabase(source, readMigrationFacts)) ?? emptyFacts
}

/**
 * Returns the SQL of the missing migrations. Changes nothing.
 *
 * @throws {ConfigurationError} if this release cannot upgrade the database, or the SQL cannot be
 *   printed
 */
export async function printSource(source: DatabaseSource): Promise<string> {
  const found = await inspectDatabase(source, async (reader): Promise<PrintedDatabase> => ({
    kind: isFile(source) ? 'sqlite' : 'postgres',
    state: await readSchemaState(reader),
    absent: await findAbsent(reader),
  }))
  return printMigrations(found ?? missingFile)
}

/** A SQLite file that does not exist yet. */
const missingFile: PrintedDatabase = {
  kind: 'sqlite',
  state: emptyFacts,
  absent: { schema: false, table: true },
}

function isFile(source: DatabaseSource): source is string {
  return typeof source === 'string' && !isPostgresUrl(source)
}
