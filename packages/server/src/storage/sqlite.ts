// How SQLite is used. One connection writes, in a thread of its own, the writer thread; the main
// thread reads through a connection that cannot write. So no commit blocks the event loop. In
// reading order:
//
// - `sqlite-connection.ts` and `sqlite-dialect.ts`: the connections, and Kysely on top of them.
// - `writer-client.ts`: sends the name and the values of a command to the thread, and passes the
//   replies to the callers (`writer-queues.ts`, `writer-messages.ts`).
// - `sqlite-writer.ts`: runs the commands in the thread. All commands that arrive during a commit
//   share one later commit (decisions/0004-share-commits.md). `writer-inbox.ts` has the commands,
//   and `writable-file.ts` opens the file.
// - `sqlite-errors.ts`: which errors become 503 (decisions/0032-after-a-failed-sync.md).
// - `sqlite-copy.ts`, `sqlite-lock.ts`: copies and checks files, and replaces one, for backups.
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Kysely, type CompiledQuery } from 'kysely'
import { explainFault } from '../base/file-fault.ts'
import { DatabaseUnavailableError, type Database, type WriteCheck } from './database.ts'
import { createNotifier } from './notices.ts'
import { inMemory } from './source.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { createPrepare, findFirst, sqliteDialect } from './sqlite-dialect.ts'
import { startWriter } from './writer-client.ts'

/**
 * Opens a SQLite file, and creates it if it does not exist. Only the owner of the file can read it.
 * Writes run in a separate thread. Reads use a read-only connection in this thread. Two threads
 * cannot share a database in memory, so `:memory:` creates a file in a temporary folder. Only the
 * owner can open this folder. `close` deletes the folder. If the process is killed, the folder
 * stays.
 *
 * @param writerThread the module that calls `serveCommands`
 * @throws {DatabaseUnavailableError} when the file cannot be opened or migrated
 */
export async function openSqlite(path: string, writerThread: URL): Promise<Database> {
  const temporary = path === inMemory ? mkdtempSync(join(tmpdir(), 'keystile-')) : undefined
  const file = temporary ? join(temporary, 'keystile.db') : path
  createPrivateFile(file)

  const { notify, onCommitted } = createNotifier()
  const writer = await startWriter(file, writerThread, notify)
  const connection = openSqliteFile(file, 'read')
  const prepare = createPrepare(connection)
  const reader = new Kysely<unknown>({ dialect: sqliteDialect(connection, prepare) })

  let check: WriteCheck = () => undefined
  const writeWhen =
    (isUrgent: boolean): Database['write'] =>
    async (command, values, patienceMilliseconds) => {
      const checked = check(isUrgent)
      if (checked) await checked
      return writer.write(command, values, patienceMilliseconds)
    }
  return {
    reader,
    find: async <Row>({ sql, parameters }: CompiledQuery<Row>) =>
      findFirst(prepare, sql, parameters) as Row | undefined,
    write: writeWhen(false),
    checkWrites: (given) => void (check = given),
    onCommitted,
    onSignal: () => {}, // the processes that share a file read it often enough
    urgent: { reader, write: writeWhen(true) }, // reads never wait, and writes share commits
    get writeQueueLength() {
      return writer.queueLength
    },
    async close() {
      writer.refuse()
      // The reader closes first. The last connection that closes removes the write-ahead log, and
      // only the writer can remove it.
      await reader.destroy()
      // Kysely does not close a connection that has read nothing.
      if (connection.isOpen) connection.close()
      await writer.close()
      if (temporary) rmSync(temporary, { recursive: true, force: true })
    },
  }
}

/**
 * Creates the file so that only its owner can read it, because it holds password hashes and
 * encrypted keys. SQLite gives the same mode to its other files, such as the write-ahead log.
 */
export function createPrivateFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
    if (process.platform !== 'win32') chmodSync(file, 0o600)
  } catch (error) {
    const message = explainFault(`The database ${file} cannot be opened`, error)
    throw new DatabaseUnavailableError(message, { cause: error })
  }
}
