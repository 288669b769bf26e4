// Runs the migrations that `migrate.ts` lists, each once: the table `migration` has their names. On
// SQLite, one transaction is enough. `migrate-postgres.ts` does what PostgreSQL needs besides.
import { sql } from 'kysely'
import { readVersion } from '../base/version.ts'
import { inTables, isPostgres, type Reader } from './database.ts'
import { hasTable, migrations, schema, type MarkTables } from './migrate.ts'
import { readMigrations, standingOf } from './standing.ts'
import { requireUpgradable } from './schema-mark.ts'

interface MigrationTables {
  readonly migration: { readonly name: string; readonly timestamp: string }
}

/** Runs the missing migrations of a SQLite file. If one fails, none of them takes effect. */
export async function migrateSqlite(db: Reader): Promise<readonly string[]> {
  // A start that has nothing to do must not wait for another process that writes.
  if (standingOf(await readMigrations(db)) === 'current') return []
  return db.transaction().execute(runMissing)
}

/**
 * Runs the missing migrations in a transaction.
 *
 * @returns the names of the migrations that it has run
 * @throws {ConfigurationError} if this release cannot upgrade the database
 */
export async function runMissing(transaction: Reader): Promise<readonly string[]> {
  const facts = await readMigrations(transaction)
  requireUpgradable(facts)

  await createBookkeeping(transaction, await findAbsent(transaction))
  await runSteps(transaction, facts.missing)
  return facts.missing
}

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

export async function setMark(
  db: Reader,
  oldest: number,
  release: string = readVersion(),
): Promise<void> {
  await inTables<MarkTables>(db).updateTable('schema_mark').set({ oldest, release }).execute()
}

/**
 * Returns the highest schema mark that the given migrations set, or undefined if none sets a mark.
 */
export function findRaisedMark(names: readonly string[]): number | undefined {
  const marks = names.flatMap((name) => migrations[name]?.oldestSchema ?? [])
  return marks.length > 0 ? Math.max(...marks) : undefined
}
