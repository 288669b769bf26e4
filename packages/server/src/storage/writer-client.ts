import { Worker } from 'node:worker_threads'
import { inheritedArguments } from '../base/inherited-arguments.ts'
import { DatabaseUnavailableError, type Command } from './database.ts'
import {
  openingId,
  type WriterError,
  type WriterMessage,
  type WriterReply,
  type WriterRequest,
} from './writer-messages.ts'

/**
 * How long a command that can wait is held back, so that others share its message and its commit.
 * Waking a thread and syncing a disk cost more than the writes.
 */
const lingerMilliseconds = 20
/**
 * Answers in one turn of the event loop. Each may lead to a millisecond of work, such as a
 * signature, and guards wait meanwhile. With one answer a turn, a third of the refreshes was lost.
 */
const maxSettledAtOnce = 4

/** The writer thread, as other threads see it. */
export interface WriterClient {
  /**
   * Has the thread run a command. Resolves when what it wrote is on disk.
   *
   * @param patienceMilliseconds how long it may wait for others to share a commit with
   */
  write<Values, Result>(
    command: Command<Values, Result>,
    values: Values,
    patienceMilliseconds?: number,
  ): Promise<Result>
  /** Commands that were not yet answered. */
  readonly queueLength: number
  /** Takes no more commands. */
  refuse(): void
  /** Ends the thread when it has answered all commands. */
  close(): Promise<void>
}

/**
 * Starts the writer thread; when this resolves, it has opened and migrated the file.
 *
 * @param module the module that calls `serveCommands`
 * @throws {DatabaseUnavailableError} when the thread cannot open or migrate the file
 */
export async function startWriter(file: string, module: URL): Promise<WriterClient> {
  const worker = startThread(file, module)
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const unanswered = createUnanswered(worker)
  const replies = createReplies(unanswered.settle)
  const outbox = createOutbox((requests) => worker.postMessage(requests satisfies WriterMessage))
  let lastId = openingId
  let broken: Error | undefined
  let isClosing = false

  const breakDown = (cause: Error): void => {
    replies.settleAll() // what these tell is on disk
    broken ??= new DatabaseUnavailableError('the thread that writes to the database has ended', {
      cause,
    })
    unanswered.rejectAll(broken)
  }
  worker.on('message', replies.add)
  worker.on('error', breakDown)
  worker.once('exit', (code) => breakDown(new Error(`exit code ${code}`)))

  try {
    await unanswered.wait(openingId)
  } catch (cause) {
    await worker.terminate()
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DatabaseUnavailableError(`The database ${file} cannot be opened: ${reason}`, {
      cause,
    })
  }

  return {
    async write<Values, Result>(
      command: Command<Values, Result>,
      values: Values,
      patienceMilliseconds = 0,
    ) {
      // Its thread ends on the way: that is no breakdown.
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
      if (!broken) worker.postMessage('close' satisfies WriterMessage)
      await exited
    },
  }
}

function startThread(file: string, module: URL): Worker {
  return new Worker(module, {
    workerData: { file },
    name: 'keystile-writer',
    // The thread keeps nothing. V8 would let short-lived garbage grow it by up to 64 MiB.
    resourceLimits: { maxYoungGenerationSizeMb: 6 },
    execArgv: [...inheritedArguments],
  })
}

interface Unanswered {
  readonly size: number
  /** Waits for the reply with this id. Until then the process does not end. */
  wait(id: number): Promise<unknown>
  settle(reply: WriterReply): void
  rejectAll(error: Error): void
  /** From now on the thread keeps the process alive until it ends. */
  keepAlive(): void
}

/** The commands that were not yet answered. */
function createUnanswered(worker: Worker): Unanswered {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let staysAlive = false

  function settle(reply: WriterReply): void {
    const caller = waiting.get(reply.id)
    waiting.delete(reply.id)
    // A process may end when all is written and nothing else keeps it; it may not end before.
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

/** Replies that arrived, passed on a few in each turn of the event loop. */
function createReplies(settle: (reply: WriterReply) => void): {
  add(replies: readonly WriterReply[]): void
  settleAll(): void
} {
  const arrived: WriterReply[] = []

  function settleNext(count: number): void {
    for (const reply of arrived.splice(0, count)) settle(reply)
  }

  function settleInTurns(): void {
    settleNext(maxSettledAtOnce)
    if (arrived.length > 0) setImmediate(settleInTurns)
  }

  return {
    add(replies) {
      const isSettling = arrived.length > 0
      arrived.push(...replies)
      if (!isSettling) settleInTurns()
    },
    settleAll: () => settleNext(arrived.length),
  }
}

/**
 * Commands on their way: those that can wait leave with the first that cannot, or after a moment.
 */
function createOutbox(post: (requests: readonly WriterRequest[]) => void): {
  add(request: WriterRequest, patienceMilliseconds: number): void
  send(): void
} {
  const unsent: WriterRequest[] = []
  let sending: NodeJS.Timeout | undefined

  function send(): void {
    clearTimeout(sending)
    sending = undefined
    if (unsent.length > 0) post(unsent.splice(0))
  }

  return {
    add(request, patienceMilliseconds) {
      unsent.push(request)
      if (patienceMilliseconds < lingerMilliseconds) send()
      else sending ??= setTimeout(send, lingerMilliseconds)
    },
    send,
  }
}

function errorOf({ message, code, isUnavailable }: WriterError): Error {
  return isUnavailable
    ? new DatabaseUnavailableError(message)
    : Object.assign(new Error(message), { code })
}
