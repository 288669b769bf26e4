import { realpathSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { Kysely } from 'kysely'
import {
  DatabaseUnavailableError,
  type AnyCommand,
  type Reader,
  type Transaction,
} from './database.ts'
import { migrateSqlite } from './migrator.ts'
import { runCommand } from './notices.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import { filesWereMoved, SqliteFileError } from './sqlite-errors.ts'
import {
  openingId,
  type WriterMessage,
  type WriterReply,
  type WriterRequest,
} from './writer-messages.ts'

// The limits of a shared commit: the number of its commands, and the time for which commands can
// join it. Without limits, the first command could wait too long for its reply.
const maxCommands = 64
const maxMilliseconds = 5

/**
 * Runs the writer thread: opens and migrates the file, then runs the received commands one after
 * the other. Commands that arrive while another command runs share its commit, because each commit
 * has to wait for the disk. Each command succeeds or fails as a whole. The thread sends the replies
 * when the shared commit is on disk.
 */
export async function serveCommands(commands: readonly AnyCommand[]): Promise<void> {
  const port = portOf(parentPort)
  const run = createRunner(commands)
  const inbox = createInbox(port)
  const reply = (replies: readonly WriterReply[]): void => port.postMessage(replies)

  let file: WritableFile
  try {
    file = await openAndMigrate((workerData as { file: string }).file)
    reply([{ id: openingId, result: undefined }])
  } catch (error) {
    return reply([failure(openingId, new SqliteFileError(error))])
  }

  let isWriting = false
  port.on('message', async (woken: WriterMessage) => {
    inbox.add(woken)
    if (isWriting) return
    isWriting = true
    for (let message = inbox.next(); message; message = inbox.next()) {
      if (message === 'close') {
        await file.db.destroy()
        return port.close()
      }
      reply(await commitTogether(message, { file, run, nextRequest: inbox.nextRequest }))
    }
    isWriting = false
  })
}

function portOf(parent: MessagePort | null): MessagePort {
  if (!parent) throw new Error('serveCommands() must run in a worker thread')
  return parent
}

/**
 * The only connection that writes to the file: `sqlite` is the connection itself, and `db` is
 * Kysely on top of it.
 */
interface WritableFile {
  readonly sqlite: DatabaseSync
  readonly db: Reader
  /** Whether the opened files are still at their paths. */
  isInPlace(): boolean
}

async function openAndMigrate(path: string): Promise<WritableFile> {
  const sqlite = openSqliteFile(path, { readOnly: false })
  try {
    refuseForeignTables(sqlite)
    const db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
    await migrateSqlite(db)
    storeRecovered(sqlite)
    return { sqlite, db, isInPlace: watchPlace(path) }
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/**
 * Returns a function that says whether the opened file and its write-ahead log are still at their
 * paths. If not, SQLite writes into files that no other process can find, and the writes are lost
 * when this process ends. SQLite itself does not notice this.
 */
function watchPlace(path: string): () => boolean {
  // SQLite too resolves the path only once. The app may change its working folder later.
  const file = realpathSync(path)
  const identify = (): string =>
    [file, `${file}-wal`]
      .map((each) => statSync(each, { throwIfNoEntry: false }))
      .map((stats) => `${stats?.dev}:${stats?.ino}`)
      .join()
  const opened = identify()
  return () => identify() === opened
}

/** Refuses the file of another program, before anything is written into it. */
function refuseForeignTables(sqlite: DatabaseSync): void {
  const tables = sqlite.prepare("select name from sqlite_schema where type = 'table'").all()
  // Other programs have a table with this name too.
  const columns = sqlite.prepare("select name from pragma_table_info('migration')").all()
  const isOurs = ['name', 'timestamp'].every((own) => columns.some(({ name }) => name === own))
  if (tables.length > 0 && !isOurs)
    throw new Error(
      'the file belongs to another program: it has tables, but none of Keystile. ' +
        'Fix: name another file',
    )
}

// decisions/0032-after-a-failed-sync.md
/**
 * Copies the commits in the write-ahead log into the file, and waits for the disk. If an earlier
 * process ended after a failed sync, the last commit in the log may not be on the disk. The
 * operating system has it only in memory, but treats it as stored. Without this copy, a power
 * failure would lose this commit and all later commits in the log.
 */
function storeRecovered(sqlite: DatabaseSync): void {
  // `passive` does not wait for other processes. If one of them prevents the copy, it has opened
  // the file before this process, and has itself copied the commits that were there.
  sqlite.exec('pragma wal_checkpoint(passive)')
}

type Run = (transaction: Transaction, request: WriterRequest) => Promise<WriterReply>

/** Returns a function that finds a command by its name and runs it. */
function createRunner(commands: readonly AnyCommand[]): Run {
  const byName = new Map(commands.map((command) => [command.name, command]))
  if (byName.size !== commands.length) throw new Error('each command must have its own name')

  return async (transaction, { id, command: name, values }) => {
    const command = byName.get(name)
    if (!command) throw new Error(`the writer thread must know the command "${name}"`)
    return { id, ...(await runCommand(command, transaction, values as never)) }
  }
}

/** Creates the queue of requests that the thread has received but not started. */
function createInbox(port: MessagePort): {
  add(message: WriterMessage): void
  next(): WriterRequest | 'close' | undefined
  /** Removes and returns the next entry, if it is a command. Leaves a `close` in the queue. */
  nextRequest(): WriterRequest | undefined
} {
  const arrived: (WriterRequest | 'close')[] = []

  const add = (message: WriterMessage): void =>
    void arrived.push(...(message === 'close' ? [message] : message))

  /**
   * If the queue is empty, takes the next message from the port, if there is one. Node emits an
   * event for a message only when this thread is idle, which is too late: the commands in the
   * message could not join the running commit.
   */
  function look(): void {
    const waiting = arrived.length === 0 ? receiveMessageOnPort(port) : undefined
    if (waiting) add(waiting.message as WriterMessage)
  }

  return {
    add,
    next() {
      look()
      return arrived.shift()
    },
    nextRequest() {
      look()
      const [first] = arrived
      if (first === 'close') return undefined
      arrived.shift()
      return first
    },
  }
}

interface Writing {
  readonly file: WritableFile
  readonly run: Run
  nextRequest(): WriterRequest | undefined
}

// decisions/0004-share-commits.md
/**
 * Runs a command, and the commands that arrive while it runs, in one transaction. Returns the
 * replies to all of these commands.
 */
async function commitTogether(
  first: WriterRequest,
  { file, run, nextRequest }: Writing,
): Promise<readonly WriterReply[]> {
  const requests = [first]
  const replies: WriterReply[] = []
  const end = performance.now() + maxMilliseconds
  try {
    await file.db.transaction().execute(async (transaction) => {
      for (const request of requests) {
        // The first command needs no savepoint: if it fails, the transaction has no other changes.
        const isFirst = request === first
        replies.push(
          isFirst
            ? await run(transaction, request)
            : await runApart(transaction, request, { file, run }),
        )
        const hasRoom = requests.length < maxCommands && performance.now() < end
        const another = hasRoom ? nextRequest() : undefined
        if (another) requests.push(another)
      }
    })
    if (!file.isInPlace()) throw new DatabaseUnavailableError(filesWereMoved)
    return replies
  } catch (error) {
    // Nothing is on disk, or it is in a file that a restart does not find. Commands that returned a
    // refusal fail too: they may have read changes that are now lost.
    return requests.map(({ id }) => failure(id, error))
  }
}

/**
 * Runs a command in a transaction that already ran other commands. If the command fails, only its
 * changes are rolled back.
 *
 * @throws {Error} when SQLite has rolled back the whole transaction, for example because the disk
 *   is full or broken
 */
async function runApart(
  transaction: Transaction,
  request: WriterRequest,
  { file: { sqlite }, run }: Pick<Writing, 'file' | 'run'>,
): Promise<WriterReply> {
  sqlite.exec('savepoint command')
  try {
    const reply = await run(transaction, request)
    sqlite.exec('release command')
    return reply
  } catch (error) {
    if (!sqlite.isTransaction) throw error
    sqlite.exec('rollback to command; release command')
    return failure(request.id, error)
  }
}

/** Turns an error into a reply, because threads cannot send errors with all their members. */
function failure(id: number, error: unknown): WriterReply {
  const { message, code } = error as { message: string; code?: string }
  return { id, error: { message, code, isUnavailable: error instanceof DatabaseUnavailableError } }
}
