import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { DatabaseUnavailableError, type AnyCommand, type Transaction } from './database.ts'
import { runCommand } from './notices.ts'
import { SqliteFileError } from './sqlite-errors.ts'
import { openWritableFile, type WritableFile } from './writable-file.ts'
import { createInbox, type Inbox } from './writer-inbox.ts'
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
    file = await openWritableFile((workerData as { file: string }).file)
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
      reply(await commitTogether(message, { file, run, inbox }))
    }
    isWriting = false
  })
}

function portOf(parent: MessagePort | null): MessagePort {
  if (!parent) throw new Error('serveCommands() must run in a worker thread')
  return parent
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

interface Writing {
  readonly file: WritableFile
  readonly run: Run
  readonly inbox: Inbox
}

// decisions/0004-share-commits.md
/**
 * Runs a command, and the commands that arrive while it runs, in one transaction. Returns the
 * replies to all of these commands.
 */
async function commitTogether(
  first: WriterRequest,
  { file, run, inbox }: Writing,
): Promise<readonly WriterReply[]> {
  const requests = [first]
  const replies: WriterReply[] = []
  const end = performance.now() + maxMilliseconds
  const next = (): WriterRequest | undefined =>
    requests.length < maxCommands && performance.now() < end ? inbox.nextRequest() : undefined
  try {
    await file.db.transaction().execute(async (transaction) => {
      // The first command needs no savepoint: if it fails, the transaction has no other changes.
      replies.push(await run(transaction, first))
      for (let request = next(); request; request = next()) {
        requests.push(request)
        replies.push(await runApart(transaction, request, { file, run }))
      }
    })
    file.requireInPlace()
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
