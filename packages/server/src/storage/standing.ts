// Which migrations have run in a database, and whether this release may run on it.
import { sql } from 'kysely'
import { inTables, isPostgres, type Reader } from './database.ts'
import {
  hasTable,
  migrations,
  numberOf,
  schema,
  schemaNumber,
  type MarkTables,
  type SchemaMark,
} from './migrate.ts'

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

/** The table that lists the migrations that have run. */
interface RunTables {
  readonly migration: { readonly name: string }
}

/** Reads which migrations have run. Changes nothing. */
export async function inspectMigrations(reader: Reader): Promise<MigrationFacts> {
  return {
    ...(await readMigrations(reader)),
    mayMigrate: !isPostgres(reader) || (await mayMigratePostgres(reader)),
  }
}

/** Like `inspectMigrations`, but does not check whether the user may run the missing migrations. */
export async function readMigrations(reader: Reader): Promise<SchemaState> {
  const db = inTables<RunTables & MarkTables>(reader)
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

/**
 * How a database compares with this release:
 *
 * - `current`: all migrations have run.
 * - `empty`: none has run.
 * - `behind`: some are missing.
 * - `ahead`: a newer release has migrated it, and this release may still run on it.
 * - `beyond`: a newer release has migrated it, and this release may not run on it.
 * - `mixed`: it lacks a migration in the middle, or has migrations of a different line of releases.
 */
export type Standing = 'current' | 'empty' | 'behind' | 'ahead' | 'beyond' | 'mixed'

/** Compares the facts about a database with the migrations of this release. */
export function standingOf({ missing, unknown, isEmpty, mark }: SchemaState): Standing {
  if (mark && mark.oldest > schemaNumber()) return 'beyond'
  if (isEmpty) return 'empty'

  const [firstMissing] = missing
  const hasGap =
    firstMissing !== undefined &&
    Object.keys(migrations).some((name) => name > firstMissing && !missing.includes(name))
  // `!(… > …)` also finds a name without a number.
  const isOther = unknown.some((name) => !(numberOf(name) > schemaNumber()))
  if (hasGap || isOther || (unknown.length > 0 && missing.length > 0)) return 'mixed'
  if (missing.length > 0) return 'behind'
  if (unknown.length === 0) return 'current'
  return mark ? 'ahead' : 'beyond'
}

/**
 * Why this release cannot run on a database, and what to do. The message continues a sentence that
 * begins with "the database".
 */
export interface SchemaFault {
  readonly message: string
  readonly fix: string
}

/** Returns why this release cannot run on a database as it is, or undefined if it can. */
export function findSchemaFault(facts: SchemaState): SchemaFault | undefined {
  const { missing, unknown, mark } = facts
  switch (standingOf(facts)) {
    case 'behind':
      return {
        message: `must be upgraded before this release starts; it lacks ${missing.join(', ')}`,
        fix: 'run "keystile migrate", or migrateDatabase() in an app, as the owner of the tables',
      }
    case 'beyond':
      return tooNew(mark)
    case 'mixed':
      return {
        message:
          'must have the migrations of this release, in their order; it has ' +
          (unknown.join(', ') || 'only some of them'),
        fix: 'install the release that has used the database',
      }
    default:
      return undefined
  }
}

/** Returns the fault of a database that excludes this release. */
export function tooNew(mark: SchemaMark | undefined): SchemaFault {
  const state = mark ? `needs schema ${mark.oldest}` : 'was upgraded by a newer release'
  const own = schemaNumber()
  return {
    message: `must not be newer than this release; it ${state}, and this release has schema ${own}`,
    fix: mark?.release
      ? `install @keystile/server ${mark.release} or newer`
      : 'install that release or a newer one',
  }
}

/** Returns the name of the newest migration that has run, or undefined if none has run. */
export async function findNewestMigration(reader: Reader): Promise<string | undefined> {
  if (!(await hasTable(reader, 'migration'))) return undefined
  const row = await inTables<RunTables>(reader)
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
