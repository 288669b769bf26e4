import { existsSync } from 'node:fs'
import { Kysely, PostgresDialect, sql, type RawBuilder } from 'kysely'
import { DatabaseUnavailableError, type Database } from './database.ts'
import { schema } from './migrate.ts'
import { isPostgresUrl } from './source.ts'
import { connectPostgres, reasonOf, type Pool } from './postgres.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

/** What a database says of itself, beside what lies in it. */
export type DatabaseFacts = SqliteFacts | PostgresFacts

export interface SqliteFacts {
  readonly kind: 'sqlite'
  /** The issuer that it was first started for. */
  readonly issuer: string | undefined
  /** `pragma synchronous` of a connection of ours: 2 is FULL, 3 EXTRA. */
  readonly synchronous: number
  /** The instant of the newest line of the audit record. */
  readonly latest: number | undefined
}

export interface PostgresFacts {
  readonly kind: 'postgres'
  readonly issuer: string | undefined
  readonly fsync: string
  readonly synchronousCommit: string
  /** What its clock says. */
  readonly now: number
}

/** Reads them from an open database. */
export async function readDatabaseFacts({ kind, reader }: Pick<Database, 'kind' | 'reader'>): Promise<DatabaseFacts> {
  if (kind === 'postgres') {
    const { fsync, commit, now, has_tables } = await onlyRow(
      sql<{ fsync: string; commit: string; now: number; has_tables: string | null }>`
      select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
        (extract(epoch from clock_timestamp()) * 1000)::bigint as now,
        to_regclass(${`${schema}.setting`})::text as has_tables`,
      reader,
    )
    const issuer = has_tables === null ? undefined : await readIssuer(reader)
    return { kind, issuer, fsync, synchronousCommit: commit, now }
  }
  const { synchronous } = await onlyRow(sql<{ synchronous: number }>`pragma synchronous`, reader)
  const { rows: tables } = await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(
    reader,
  )
  const has = (table: keyof Tables): boolean => tables.some(({ name }) => name === table)
  return {
    kind,
    issuer: has('setting') ? await readIssuer(reader) : undefined,
    synchronous,
    latest: has('audit') ? await findLatest(reader) : undefined,
  }
}

/**
 * Reads them from a database that is not open, and changes nothing: a file that is not there stays so, and nothing is
 * migrated.
 *
 * @returns `undefined` where there is no file yet
 * @throws {DatabaseUnavailableError} when it cannot be opened, in the driver's words
 */
export async function inspectDatabase(source: string | Pool): Promise<DatabaseFacts | undefined> {
  if (typeof source === 'string' && !isPostgresUrl(source)) {
    if (!existsSync(source)) return undefined
    return reading('sqlite', () => new Kysely({ dialect: sqliteDialect(openSqliteFile(source, { readOnly: true })) }))
  }
  const { pool, close } = await connectPostgres(source)
  try {
    return await reading('postgres', () =>
      new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema(schema),
    )
  } finally {
    await close()
  }
}

async function reading(kind: Database['kind'], open: () => Kysely<Tables>): Promise<DatabaseFacts> {
  let reader: Kysely<Tables> | undefined
  try {
    reader = open()
    return await readDatabaseFacts({ kind, reader })
  } catch (error) {
    throw new DatabaseUnavailableError(reasonOf(error), { cause: error })
  } finally {
    if (kind === 'sqlite') await reader?.destroy()
  }
}

/** The instant of the newest line of the audit record, in milliseconds. */
export async function findLatest(reader: Kysely<Tables>): Promise<number | undefined> {
  const newest = await reader.selectFrom('audit').select('at').orderBy('id', 'desc').limit(1).executeTakeFirst()
  return newest?.at
}

/** The row of a query that always gives one. */
async function onlyRow<Row>(query: RawBuilder<Row>, reader: Kysely<Tables>): Promise<Row> {
  const [row] = (await query.execute(reader)).rows
  if (!row) throw new Error('the database answered without a row')
  return row
}

async function readIssuer(reader: Kysely<Tables>): Promise<string | undefined> {
  const row = await reader.selectFrom('setting').select('value').where('name', '=', 'issuer').executeTakeFirst()
  return row?.value
}
