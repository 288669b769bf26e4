// Reads which migrations have run in a database, and with which rights.
import { sql } from 'kysely'
import { inTables, type Reader } from './database.ts'
import { migrations } from './migrations.ts'
import { isPostgres } from './portable-sql.ts'
import type { MarkTables, SchemaMark } from './schema-mark.ts'
import { hasTable, schema, type MigrationTables } from './schema.ts'

/** Which migrations a database has, compared with this release. */
export interface SchemaState {
  /** The migrations of this release that have not run. */
  readonly missing: readonly string[]
  /** The migrations that have run but that this release does not have: a newer release ran them. */
  readonly unknown: readonly string[]
  /** Whether no migration has run. */
  readonly isEmpty: boolean
  /** Undefined if the migration 0016, which adds the mark, has not run. */
  readonly mark: SchemaMark | undefined
}

export interface MigrationFacts extends SchemaState {
  /** Whether the user of the database may run the missing migrations. */
  readonly mayMigrate: boolean
}

/** Reads which migrations have run, and whether the user may run the others. Changes nothing. */
export async function readMigrationFacts(reader: Reader): Promise<MigrationFacts> {
  return {
    ...(await readSchemaState(reader)),
    mayMigrate: !isPostgres(reader) || (await mayMigratePostgres(reader)),
  }
}

/** Reads which migrations have run, and the schema mark. Changes nothing. */
export async function readSchemaState(reader: Reader): Promise<SchemaState> {
  const db = inTables<MigrationTables & MarkTables>(reader)
  const hasRun = (await hasTable(reader, 'migration'))
    ? (await db.selectFrom('migration').select('name').execute()).map(({ name }) => name)
    : []
  const mark = (await hasTable(reader, 'schema_mark'))
    ? await db.selectFrom('schema_mark').select(['oldest', 'release']).executeTakeFirst()
    : undefined
  return { ...compareWithRun(hasRun), mark }
}

/** The facts about a database that does not exist yet. */
export const emptyFacts: MigrationFacts = {
  ...compareWithRun([]),
  mark: undefined,
  mayMigrate: true,
}

function compareWithRun(
  hasRun: readonly string[],
): Pick<SchemaState, 'missing' | 'unknown' | 'isEmpty'> {
  const names = Object.keys(migrations).toSorted()
  return {
    missing: names.filter((name) => !hasRun.includes(name)),
    unknown: hasRun.filter((name) => !names.includes(name)).toSorted(),
    isEmpty: hasRun.length === 0,
  }
}

/** Returns the name of the newest migration that has run, or undefined if none has run. */
export async function findNewestMigration(reader: Reader): Promise<string | undefined> {
  if (!(await hasTable(reader, 'migration'))) return undefined
  const row = await inTables<MigrationTables>(reader)
    .selectFrom('migration')
    .select('name')
    .orderBy('name', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.name
}

/**
 * Whether the database user may run migrations. If Keystile's schema does not exist, the user must
 * have the right to create it. If the schema exists, the user must have the right to create tables
 * in it and must own all its tables, because only the owner of a table may alter the table.
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
