import { Kysely, PostgresDialect, sql, type RawBuilder } from 'kysely'
import { DatabaseUnavailableError, isPostgres, type Reader } from './database.ts'
import { inspectMigrations, schema, type MigrationFacts } from './migrate.ts'
import { inMemory, isPostgresUrl, mayExist, type DatabaseSource } from './source.ts'
import { reasonOf } from './postgres-errors.ts'
import { connectPostgres } from './postgres-pool.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import { SqliteFileError } from './sqlite-errors.ts'

export type DatabaseFacts = SqliteFacts | PostgresFacts

export interface SqliteFacts {
  readonly kind: 'sqlite'
  /** The value of `pragma synchronous` on our connection: 2 is FULL, 3 is EXTRA. */
  readonly synchronous: number
  readonly migrations: MigrationFacts
}

export interface PostgresFacts {
  readonly kind: 'postgres'
  readonly fsync: string
  /** The time of the server's clock, in milliseconds since 1970. */
  readonly now: number
  readonly migrations: MigrationFacts
}

export async function readDatabaseFacts(reader: Reader): Promise<DatabaseFacts> {
  const migrations = await inspectMigrations(reader)
  if (isPostgres(reader)) {
    const row = await onlyRow(
      sql<{ fsync: string; now: number }>`
      select current_setting('fsync') as fsync,
        (extract(epoch from clock_timestamp()) * 1000)::bigint as now`,
      reader,
    )
    return { kind: 'postgres', ...row, migrations }
  }

  const { synchronous } = await onlyRow(sql<{ synchronous: number }>`pragma synchronous`, reader)
  return { kind: 'sqlite', synchronous, migrations }
}

/**
 * Opens a database for reading, calls `look` with it, and closes the database. Changes nothing: it
 * creates no file and runs no migrations. So tables may be missing.
 *
 * @returns the result of `look`, or undefined if the file does not exist or the source is
 *   `:memory:`
 * @throws {DatabaseUnavailableError} with the reason, when the database cannot be opened or read
 */
export async function inspectDatabase<Found>(
  source: DatabaseSource,
  look: (reader: Reader) => Promise<Found>,
): Promise<Found | undefined> {
  if (typeof source === 'string' && !isPostgresUrl(source))
    return source !== inMemory && mayExist(source) ? inspectSqlite(source, look) : undefined

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
    throw new SqliteFileError(error)
  } finally {
    await reader?.destroy()
  }
}

function asUnavailable(error: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError(reasonOf(error), { cause: error })
}

async function onlyRow<Row>(query: RawBuilder<Row>, reader: Reader): Promise<Row> {
  const [row] = (await query.execute(reader)).rows
  if (!row) throw new Error('the query must return one row; the database returned none')
  return row
}
