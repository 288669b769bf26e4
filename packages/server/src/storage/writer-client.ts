import { Worker } from 'node:worker_threads'
import { inheritedArguments } from '../base/inherited-arguments.ts'
import { DatabaseUnavailableError, type Command } from './database.ts'
import type { Notifier } from './notices.ts'
import {
  openingId,
  type WriterError,
  type WriterMessage,
  type WriterReply,
} from './writer-messages.ts'
import { createOutbox, createReplies } from './writer-queues.ts'

export interface WriterClient {
  /**
   * Runs a command in the thread. When the promise resolves, all its writes are on disk.
   *
   * @param patienceMilliseconds how long the command may wait for other commands that share its
   *   commit
   */
  write<Values, Result>(
    command: Command<Values, Result>,
    values: Values,
    patienceMilliseconds?: number,
  ): Promise<Result>
  /** The number of commands that have no answer yet. */
  readonly queueLength: number
  /**
   * Refuses new commands from now on. Commands that were sent still get their answers, and the
   * process does not exit before `close` has ended the thread.
   */
  refuse(): void
  /** Waits until all commands are answered, then ends the thread. */
  close(): Promise<void>
}

/**
 * Starts the writer thread. When the promise resolves, the thread has opened and migrated the file.
 *
 * @param module the module that calls `serveCommands`
 * @param notify called with the notices of each command, after its commit
 * @throws {DatabaseUnavailableError} when the thread cannot open or migrate the file
 */
export async function startWriter(
  file: string,
  module: URL,
  notify: Notifier['notify'],
): Promise<WriterClient> {
  const worker = startThread(file, module)
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const unanswered = createUnanswered(worker)
  const replies = createReplies((reply) => {
    if ('notices' in reply) notify(reply.notices)
    unanswered.settle(reply)
  })
  const outbox = createOutbox((requests) => {
    try {
      worker.postMessage(requests satisfies WriterMessage)
    } catch (error) {
      // A value is not plain data, so nothing was sent.
      const { message } = error as Error
      for (const { id } of requests)
        unanswered.settle({ id, error: { message, code: undefined, isUnavailable: false } })
    }
  })
  let lastId = openingId
  let broken: Error | undefined
  let isClosing = false

  const breakDown = (cause: Error): void => {
    replies.settleAll() // these commands are on disk
    broken ??= new DatabaseUnavailableError('the writer thread of SQLite has ended', { cause })
    unanswered.rejectAll(broken)
  }
  worker.on('message', (message: unknown) => areReplies(message) && replies.add(message))
  worker.on('error', breakDown)
  worker.once('exit', (code) => breakDown(new Error(`exit code ${code}`)))

  await unanswered.wait(openingId).catch(async (cause: Error) => {
    await worker.terminate()
    throw cannotBeOpened(file, cause)
  })

  return {
    async write<Values, Result>(
      command: Command<Values, Result>,
      values: Values,
      patienceMilliseconds = 0,
    ) {
      // This check must come before the check of `broken`: while the database closes, the end of
      // the thread is not an error.
      if (isClosing) throw new DatabaseUnavailableError('the database is being closed')
      if (broken) throw broken
      const id = ++lastId
      const result = unanswered.wait(id)
      outbox.add({ id, command: command.name, values }, patienceMilliseconds)
      return (await result) as Result
    },
    get queueLength() {
      return unanswered.size
    },
    refuse() {
      isClosing = true
      unanswered.keepAlive()
    },
    async close() {
      outbox.send()
      worker.postMessage('close' satisfies WriterMessage)
      await exited
    },
  }
}

/**
 * Whether a message is a list of replies. Node also posts messages of its own, for example under
 * `node --watch`.
 */
function areReplies(message: unknown): message is readonly WriterReply[] {
  return Array.isArray(message)
}

function cannotBeOpened(file: string, cause: Error): DatabaseUnavailableError {
  const message = `The database ${file} cannot be opened: ${cause.message}`
  return new DatabaseUnavailableError(message, { cause })
}

function startThread(file: string, module: URL): Worker {
  return new Worker(module, {
    workerData: { file },
    name: 'keystile-writer',
    // The thread holds little data. Without this limit, V8 lets garbage grow to 64 MiB before it
    // collects the garbage.
    resourceLimits: { maxYoungGenerationSizeMb: 6 },
    execArgv: inheritedArguments(),
  })
}

interface Unanswered {
  readonly size: number
  /** Waits for the reply with this id. The process does not exit before the reply arrives. */
  wait(id: number): Promise<unknown>
  settle(reply: WriterReply): void
  rejectAll(error: Error): void
  /** After this call, the process does not exit before the thread has ended. */
  keepAlive(): void
}

function createUnanswered(worker: Worker): Unanswered {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let staysAlive = false

  function settle(reply: WriterReply): void {
    const caller = waiting.get(reply.id)
    waiting.delete(reply.id)
    // The process can exit while the thread is idle, but not while a command has no answer.
    if (waiting.size === 0 && !staysAlive) worker.unref()
    if ('error' in reply) caller?.reject(errorOf(reply.error))
    else caller?.resolve(reply.result)
  }

  return {
    get size() {
      return waiting.size
    },
    wait(id) {
      worker.ref()
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
    },
    settle,
    rejectAll(error) {
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
    keepAlive() {
      staysAlive = true
      worker.ref()
    },
  }
}

function errorOf({ message, code, isUnavailable }: WriterError): Error {
  return isUnavailable
    ? new DatabaseUnavailableError(message)
    : Object.assign(new Error(message), { code })
}
