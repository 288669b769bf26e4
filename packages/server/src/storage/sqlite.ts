import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Kysely, type CompiledQuery } from 'kysely'
import { DatabaseUnavailableError, type Database } from './database.ts'
import { createPrepare, findFirst, openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import { inMemory } from './source.ts'
import { startWriter } from './writer-client.ts'

/**
 * Opens a SQLite file: writing in a thread of its own, reading here through a connection that
 * cannot write. The file is made when there is none, readable by its owner alone. `:memory:` is a
 * file too, in a temporary folder that only its owner can open and that `close` deletes, because
 * two threads share no memory database. A process that is killed leaves that folder behind.
 *
 * @param writerThread the module that calls `serveCommands`
 * @throws {DatabaseUnavailableError} when the file cannot be opened or migrated
 */
export async function openSqlite(path: string, writerThread: URL): Promise<Database> {
  const temporary = path === inMemory ? mkdtempSync(join(tmpdir(), 'keystile-')) : undefined
  const file = temporary ? join(temporary, 'keystile.db') : path
  createPrivateFile(file)

  const writer = await startWriter(file, writerThread)
  const connection = openSqliteFile(file, { readOnly: true })
  const prepare = createPrepare(connection)
  const reader = new Kysely<unknown>({ dialect: sqliteDialect(connection, prepare) })

  const database: Database = {
    hasLocalReads: true,
    reader,
    find: async <Row>({ sql, parameters }: CompiledQuery<Row>) =>
      findFirst(prepare, sql, parameters) as Row | undefined,
    write: writer.write,
    get urgent() {
      return database // reads wait for nothing, and writes share their commits
    },
    get writeQueueLength() {
      return writer.queueLength
    },
    async close() {
      writer.refuse()
      // First, so that the connection of the writer is the last: it can tidy up the log of the
      // file.
      await reader.destroy()
      await writer.close()
      if (temporary) rmSync(temporary, { recursive: true, force: true })
    },
  }
  return database
}

/**
 * Password hashes and sealed keys lie in it: nobody but its owner reads it. SQLite gives its other
 * files the same mode.
 */
function createPrivateFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
    if (process.platform !== 'win32') chmodSync(file, 0o600)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new DatabaseUnavailableError(`The database ${file} cannot be made: ${reason}`, {
      cause: error,
    })
  }
}
