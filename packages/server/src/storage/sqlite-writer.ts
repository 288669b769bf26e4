import type { DatabaseSync } from 'node:sqlite'
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { Kysely } from 'kysely'
import { DatabaseUnavailableError, type AnyCommand, type Reader, type Transaction } from './database.ts'
import { migrate } from './migrate.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'

export interface WriterRequest {
  readonly id: number
  readonly command: string
  readonly values: unknown
}

export type WriterReply =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number
      readonly error: { readonly message: string; readonly code: string | undefined; readonly isUnavailable: boolean }
    }

/** The reply to opening the file: the id that no request has. */
export const openingId = 0

/** Commands that may share a commit, or the end. */
export type WriterMessage = readonly WriterRequest[] | 'close'

/** Bounds of what is committed together: the first of it waits for the last. */
const maxCommands = 64
const maxMilliseconds = 5

/**
 * The life of the writer thread: it opens the file, migrates it, and runs the commands it is sent one after the other.
 * Those that came while others were being written are committed together, for a commit waits for the disk; here that holds
 * up no request. Each is whole or not, whatever becomes of the others, and is answered when all are on disk.
 */
export async function serveCommands(commands: readonly AnyCommand[]): Promise<void> {
  const port = portOf(parentPort)
  const byName = new Map(commands.map((command) => [command.name, command]))
  if (byName.size !== commands.length) throw new Error('two commands have one name')
  const reply = (...replies: readonly WriterReply[]): void => port.postMessage(replies)
  let sqlite: DatabaseSync
  let db: Reader
  try {
    sqlite = openSqliteFile((workerData as { file: string }).file, { readOnly: false })
    db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
    await migrate(db)
    reply({ id: openingId, result: undefined })
  } catch (error) {
    return reply(failure(openingId, error))
  }
  const arrived: (WriterRequest | 'close')[] = []
  let isWriting = false

  const arrive = (message: WriterMessage): void => void arrived.push(...(message === 'close' ? [message] : message))

  function next(): WriterRequest | 'close' | undefined {
    // What waits on the port is not an event yet while a command keeps this thread.
    const waiting = arrived.length === 0 ? receiveMessageOnPort(port) : undefined
    if (waiting) arrive(waiting.message as WriterMessage)
    return arrived.shift()
  }

  async function commitTogether(first: WriterRequest): Promise<void> {
    const requests = [first]
    const replies: WriterReply[] = []
    const end = performance.now() + maxMilliseconds
    try {
      await db.transaction().execute(async (transaction) => {
        for (const request of requests) {
          replies.push(await (request === first ? run : runApart)(transaction, request))
          const another = requests.length < maxCommands && performance.now() < end ? next() : undefined
          if (another === 'close') arrived.unshift(another)
          else if (another) requests.push(another)
        }
      })
      reply(...replies)
    } catch (error) {
      reply(...requests.map(({ id }) => failure(id, error))) // nothing of it is on disk
    }
  }

  /** The first command: where it fails, so does the transaction, in which nothing else is yet. */
  async function run(
    transaction: Transaction,
    { id, command: name, values }: WriterRequest,
  ): Promise<WriterReply> {
    const command = byName.get(name)
    if (!command) throw new Error(`the writer thread knows no command "${name}"`)
    return { id, result: await command.run(transaction, values as never) }
  }

  /** One that follows. @throws {Error} when SQLite has given up the transaction, as it may where the disk is full or fails */
  async function runApart(transaction: Transaction, request: WriterRequest): Promise<WriterReply> {
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

  port.on('message', async (woken: WriterMessage) => {
    arrive(woken)
    if (isWriting) return
    isWriting = true
    for (let message = next(); message; message = next()) {
      if (message === 'close') {
        await db.destroy()
        return port.close()
      }
      await commitTogether(message)
    }
    isWriting = false
  })
}

function portOf(parent: MessagePort | null): MessagePort {
  if (!parent) throw new Error('serveCommands runs in a thread of its own')
  return parent
}

function failure(id: number, error: unknown): WriterReply {
  const { message, code } = error as { message: string; code?: string }
  return { id, error: { message, code, isUnavailable: error instanceof DatabaseUnavailableError } }
}
