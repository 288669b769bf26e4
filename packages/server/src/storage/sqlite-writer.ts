import type { DatabaseSync } from 'node:sqlite'
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { Kysely } from 'kysely'
import {
  DatabaseUnavailableError,
  type AnyCommand,
  type Reader,
  type Transaction,
} from './database.ts'
import { migrate } from './migrate.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import {
  openingId,
  type WriterMessage,
  type WriterReply,
  type WriterRequest,
} from './writer-messages.ts'

/** Bounds of a shared commit: its first command waits for its last. */
const maxCommands = 64
const maxMilliseconds = 5

/**
 * Runs the writer thread: opens and migrates the file, then runs the commands that it is sent, one
 * after the other. Commands that arrive meanwhile share a commit, because a commit waits for the
 * disk. Each command succeeds or fails as a whole, and is answered when all are on disk.
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
    return reply([failure(openingId, error)])
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
  if (!parent) throw new Error('serveCommands runs in a thread of its own')
  return parent
}

/** A file and its one connection that writes, as node:sqlite and as Kysely see it. */
interface WritableFile {
  readonly sqlite: DatabaseSync
  readonly db: Reader
}

async function openAndMigrate(path: string): Promise<WritableFile> {
  const sqlite = openSqliteFile(path, { readOnly: false })
  const db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
  await migrate(db)
  return { sqlite, db }
}

type Run = (transaction: Transaction, request: WriterRequest) => Promise<WriterReply>

/** Runs commands by their names. */
function createRunner(commands: readonly AnyCommand[]): Run {
  const byName = new Map(commands.map((command) => [command.name, command]))
  if (byName.size !== commands.length) throw new Error('two commands have one name')

  return async (transaction, { id, command: name, values }) => {
    const command = byName.get(name)
    if (!command) throw new Error(`the writer thread knows no command "${name}"`)
    return { id, result: await command.run(transaction, values as never) }
  }
}

/** What was sent to the thread and has not begun, in its order. */
function createInbox(port: MessagePort): {
  add(message: WriterMessage): void
  next(): WriterRequest | 'close' | undefined
  /** The next, where it is a command. */
  nextRequest(): WriterRequest | undefined
} {
  const arrived: (WriterRequest | 'close')[] = []

  const add = (message: WriterMessage): void =>
    void arrived.push(...(message === 'close' ? [message] : message))

  /** What waits on the port is not an event yet while a command keeps this thread. */
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
      if (first === 'close' || first === undefined) return undefined
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
/** Runs a command and those that arrive meanwhile in one transaction. Returns all replies. */
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
        // The first needs no savepoint: when it fails, nothing else is in the transaction.
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
    return replies
  } catch (error) {
    // Nothing is on disk. A command that refused fails as well: it may have read what is now lost.
    return requests.map(({ id }) => failure(id, error))
  }
}

/**
 * Runs a command that follows another, so that it can fail alone.
 *
 * @throws {Error} when SQLite has given up the transaction, as it may where the disk is full or
 *   fails
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

function failure(id: number, error: unknown): WriterReply {
  const { message, code } = error as { message: string; code?: string }
  return { id, error: { message, code, isUnavailable: error instanceof DatabaseUnavailableError } }
}
