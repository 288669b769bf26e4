// Runs the migrations that `migrations.ts` lists, each once: the table `migration` has their names.
import { sql } from 'kysely'
import { inTables, type Reader } from './database.ts'
import { migrations } from './migrations.ts'
import { isPostgres } from './portable-sql.ts'
import { requireUpgradable } from './require-schema.ts'
import { setMark } from './schema-mark.ts'
import { readSchemaState } from './schema-state.ts'
import { hasTable, schema, type MigrationTables } from './schema.ts'

/**
 * Runs the missing migrations in a transaction.
 *
 * @returns the names of the migrations that it has run
 * @throws {ConfigurationError} if this release cannot upgrade the database
 */
export async function runMissing(transaction: Reader): Promise<readonly string[]> {
  const state = await readSchemaState(transaction)
  requireUpgradable(state)

  await createBookkeeping(transaction, await findAbsent(transaction))
  await runSteps(transaction, state.missing)
  return state.missing
}

/** What a database lacks before its first migration. */
export interface Absent {
  readonly schema: boolean
  readonly table: boolean
}

export async function findAbsent(reader: Reader): Promise<Absent> {
  return {
    schema: isPostgres(reader) && !(await hasSchema(reader)),
    table: !(await hasTable(reader, 'migration')),
  }
}

async function hasSchema(reader: Reader): Promise<boolean> {
  const query = sql`select 1 where to_regnamespace(${schema}) is not null`
  return (await query.execute(reader)).rows.length > 0
}

/**
 * Creates the schema, and the table that lists the migrations that have run, if they are absent.
 */
export async function createBookkeeping(db: Reader, absent: Absent): Promise<void> {
  if (absent.schema) await db.schema.createSchema(schema).execute()
  if (!absent.table) return

  // The first releases created this table in the same form.
  await db.schema
    .createTable('migration')
    .addColumn('name', 'varchar(255)', (column) => column.primaryKey())
    .addColumn('timestamp', 'varchar(255)', (column) => column.notNull())
    .execute()
}

/** Runs migrations, and records each of them. */
export async function runSteps(db: Reader, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const migration = migrations[name]
    if (!migration) throw new Error(`there must be a migration ${name}`)

    await migration.up(db)
    await inTables<MigrationTables>(db)
      .insertInto('migration')
      .values({ name, timestamp: new Date().toISOString() })
      .execute()
    if (migration.oldestSchema !== undefined) await setMark(db, migration.oldestSchema)
  }
}
