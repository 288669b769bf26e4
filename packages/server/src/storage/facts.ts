import { existsSync } from 'node:fs'
import { Kysely, PostgresDialect, sql, type RawBuilder } from 'kysely'
import { DatabaseUnavailableError, isPostgres, type Reader } from './database.ts'
import { schema } from './migrate.ts'
import { inMemory, isPostgresUrl, type DatabaseSource } from './source.ts'
import { connectPostgres, reasonOf } from './postgres.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'

/** What a database says of itself. */
export type DatabaseFacts = SqliteFacts | PostgresFacts

export interface SqliteFacts {
  readonly kind: 'sqlite'
  /** `pragma synchronous` of a connection of ours: 2 is FULL, 3 EXTRA. */
  readonly synchronous: number
}

export interface PostgresFacts {
  readonly kind: 'postgres'
  readonly fsync: string
  readonly synchronousCommit: string
  /** What its clock says. */
  readonly now: number
}

/** Reads what a database says of itself. */
export async function readDatabaseFacts(reader: Reader): Promise<DatabaseFacts> {
  if (isPostgres(reader)) {
    const row = await onlyRow(
      sql<{ fsync: string; commit: string; now: number }>`
      select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
        (extract(epoch from clock_timestamp()) * 1000)::bigint as now`,
      reader,
    )
    return { kind: 'postgres', fsync: row.fsync, synchronousCommit: row.commit, now: row.now }
  }

  const { synchronous } = await onlyRow(sql<{ synchronous: number }>`pragma synchronous`, reader)
  return { kind: 'sqlite', synchronous }
}

/**
 * Looks into a database that is not open, and changes nothing: an absent file stays absent, and
 * nothing is migrated.
 *
 * @returns what `look` found, or undefined where there is no file yet or never one
 * @throws {DatabaseUnavailableError} when it cannot be opened or read, in the driver's words
 */
export async function inspectDatabase<Found>(
  source: DatabaseSource,
  look: (reader: Reader) => Promise<Found>,
): Promise<Found | undefined> {
  if (typeof source === 'string' && !isPostgresUrl(source))
    return source !== inMemory && existsSync(source) ? inspectSqlite(source, look) : undefined

  const { pool, close } = await connectPostgres(source)
  try {
    const dialect = new PostgresDialect({ pool })
    return await look(new Kysely<unknown>({ dialect }).withSchema(schema))
  } catch (error) {
    throw asUnavailable(error)
  } finally {
    await close()
  }
}

async function inspectSqlite<Found>(
  file: string,
  look: (reader: Reader) => Promise<Found>,
): Promise<Found> {
  let reader: Reader | undefined
  try {
    reader = new Kysely<unknown>({
      dialect: sqliteDialect(openSqliteFile(file, { readOnly: true })),
    })
    return await look(reader)
  } catch (error) {
    throw asUnavailable(error)
  } finally {
    await reader?.destroy()
  }
}

function asUnavailable(error: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError(reasonOf(error), { cause: error })
}

/** The row of a query that always gives one. */
async function onlyRow<Row>(query: RawBuilder<Row>, reader: Reader): Promise<Row> {
  const [row] = (await query.execute(reader)).rows
  if (!row) throw new Error('the database answered without a row')
  return row
}
