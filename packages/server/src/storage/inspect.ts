import { Kysely, PostgresDialect } from 'kysely'
import { DatabaseUnavailableError, type Reader } from './database.ts'
import { schema } from './migrate.ts'
import { inMemory, isPostgresUrl, mayExist, type DatabaseSource } from './source.ts'
import { reasonOf } from './postgres-advice.ts'
import { connectPostgres } from './postgres-pool.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import { SqliteFileError } from './sqlite-errors.ts'

/**
 * Opens a database for reading, calls `look` with it, and closes the database. Changes nothing: it
 * creates no file and runs no migrations. So tables may be missing.
 *
 * @returns the result of `look`, or undefined if the file does not exist or the source is
 *   `:memory:`
 * @throws {DatabaseUnavailableError} with the reason, when the database cannot be opened or read.
 *   An error of `look` is wrapped in it too, as its cause
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
