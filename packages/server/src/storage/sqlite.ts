import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Kysely, type CompiledQuery } from 'kysely'
import { inheritedArguments } from '../base/inherited-arguments.ts'
import { DatabaseUnavailableError, type Command, type Database } from './database.ts'
import { createPrepare, findFirst, openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import { openingId, type WriterMessage, type WriterReply, type WriterRequest } from './sqlite-writer.ts'
import { inMemory } from './source.ts'

/** How long a command that can wait is held back for others: waking a thread and syncing a disk cost more than what is written. */
const lingerMilliseconds = 20
/** Answers in a turn of the event loop: what follows can take a millisecond each, and others wait for a turn. */
const maxSettledAtOnce = 4

/**
 * Opens a SQLite file: writing in a thread of its own, reading here through a connection that cannot write. The file is
 * made when there is none, readable by its owner alone. `:memory:` is a file too, in a temporary folder that only its
 * owner can open and that `close` deletes, because two threads share no memory database. A process that is killed
 * leaves that folder behind.
 *
 * @param writerThread the module that calls `serveCommands`
 * @throws {DatabaseUnavailableError} when the file cannot be opened or migrated
 */
export async function openSqlite(path: string, writerThread: URL): Promise<Database> {
  const temporary = path === inMemory ? mkdtempSync(join(tmpdir(), 'keystile-')) : undefined
  const file = temporary ? join(temporary, 'keystile.db') : path
  createPrivateFile(file)
  const worker = new Worker(writerThread, {
    workerData: { file },
    name: 'keystile-writer',
    // It keeps nothing, and V8 would give it 64 MiB for what is soon garbage.
    resourceLimits: { maxYoungGenerationSizeMb: 6 },
    execArgv: [...inheritedArguments],
  })
  const pending = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const unsent: WriterRequest[] = []
  let sending: NodeJS.Timeout | undefined
  let lastId = openingId
  let broken: Error | undefined
  let closing = false

  const settle = (id: number, settlement: { result: unknown } | { error: Error }): void => {
    const waiting = pending.get(id)
    pending.delete(id)
    // A process may end when all is written and nothing else keeps it; it may not end before.
    if (pending.size === 0 && !closing) worker.unref()
    if ('error' in settlement) waiting?.reject(settlement.error)
    else waiting?.resolve(settlement.result)
  }
  const wait = (id: number): Promise<unknown> => {
    worker.ref()
    return new Promise((resolve, reject) => pending.set(id, { resolve, reject }))
  }
  const send = (): void => {
    clearTimeout(sending)
    sending = undefined
    if (unsent.length > 0) worker.postMessage(unsent.splice(0) satisfies WriterMessage)
  }
  const arrived: WriterReply[] = []
  const settleNext = (): void => {
    const reply = arrived.shift()!
    settle(reply.id, 'error' in reply ? { error: errorOf(reply.error) } : reply)
  }
  const settleInTurns = (): void => {
    for (let left = maxSettledAtOnce; left > 0 && arrived.length > 0; left--) settleNext()
    if (arrived.length > 0) setImmediate(settleInTurns)
  }
  worker.on('message', (replies: readonly WriterReply[]) => {
    const isSettling = arrived.length > 0
    arrived.push(...replies)
    if (!isSettling) settleInTurns()
  })
  const breakDown = (error: Error): void => {
    while (arrived.length > 0) settleNext() // what these tell is on disk
    broken ??= new DatabaseUnavailableError('the thread that writes to the database has ended', { cause: error })
    for (const id of pending.keys()) settle(id, { error: broken })
  }
  worker.on('error', breakDown)
  worker.once('exit', (code) => breakDown(new Error(`exit code ${code}`)))

  const opened = await wait(openingId).then(
    () => undefined,
    (error: Error) => error,
  )
  if (opened) {
    await worker.terminate()
    throw new DatabaseUnavailableError(`The database ${file} cannot be opened: ${opened.message}`, { cause: opened })
  }
  const connection = openSqliteFile(file, { readOnly: true })
  const prepare = createPrepare(connection)
  const reader = new Kysely<unknown>({ dialect: sqliteDialect(connection, prepare) })
  const database: Database = {
    hasLocalReads: true,
    reader,
    find: async <Row>({ sql, parameters }: CompiledQuery<Row>) =>
      findFirst(prepare, sql, parameters) as Row | undefined,
    async write<Values, Result>(
      command: Command<Values, Result>,
      values: Values,
      patienceMilliseconds = 0,
    ): Promise<Result> {
      // Its thread ends on the way: that is no breakdown.
      if (closing) throw new DatabaseUnavailableError('the database is being closed')
      if (broken) throw broken
      const id = ++lastId
      const result = wait(id)
      unsent.push({ id, command: command.name, values })
      if (patienceMilliseconds < lingerMilliseconds) send()
      else sending ??= setTimeout(send, lingerMilliseconds)
      return (await result) as Result
    },
    get urgent() {
      return database // reads wait for nothing, and writes share their commits
    },
    get writeQueueLength() {
      return pending.size
    },
    async close() {
      closing = true
      await reader.destroy()
      worker.ref()
      send()
      if (!broken) worker.postMessage('close' satisfies WriterMessage)
      await exited
      if (temporary) rmSync(temporary, { recursive: true, force: true })
    },
  }
  return database
}

/** Password hashes and sealed keys lie in it: nobody but its owner reads it. SQLite gives its other files the same mode. */
function createPrivateFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
    if (process.platform !== 'win32') chmodSync(file, 0o600)
  } catch (error) {
    throw new DatabaseUnavailableError(`The database ${file} cannot be made: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function errorOf({ message, code, isUnavailable }: Extract<WriterReply, { error: unknown }>['error']): Error {
  return isUnavailable ? new DatabaseUnavailableError(message) : Object.assign(new Error(message), { code })
}
