import { Kysely, PostgresDialect } from 'kysely'
import { DatabaseUnavailableError, type Reader } from './database.ts'
import { reasonOf } from './postgres-advice.ts'
import { connectPostgres } from './postgres-pool.ts'
import { schema } from './schema.ts'
import { findDatabaseFile, isOnServer, mayExist, type DatabaseSource } from './source.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
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
  if (isOnServer(source)) return inspectServer(source, look)

  const file = findDatabaseFile(source)
  return file !== undefined && mayExist(file) ? inspectFile(file, look) : undefined
}

async function inspectServer<Found>(
  source: DatabaseSource,
  look: (reader: Reader) => Promise<Found>,
): Promise<Found> {
  const { pool, close } = await connectPostgres(source)
  try {
    const dialect = new PostgresDialect({ pool })
    return await look(new Kysely<unknown>({ dialect }).withSchema(schema))
  } catch (error) {
    throw new DatabaseUnavailableError(reasonOf(error), { cause: error })
  } finally {
    await close()
  }
}

async function inspectFile<Found>(
  file: string,
  look: (reader: Reader) => Promise<Found>,
): Promise<Found> {
  let reader: Reader | undefined
  try {
    reader = new Kysely<unknown>({
      dialect: sqliteDialect(openSqliteFile(file, 'read')),
    })
    return await look(reader)
  } catch (error) {
    throw new SqliteFileError(error)
  } finally {
    await reader?.destroy()
  }
}
