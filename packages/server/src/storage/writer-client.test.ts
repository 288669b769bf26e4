// When commands for SQLite are sent, which of them share a commit, and what waits for the thread.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, afterEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { command } from './database.ts'
import { serveCommands } from './sqlite-writer.ts'
import { startWriter, type WriterClient } from './writer-client.ts'
import type { WriterReply } from './writer-messages.ts'
import { createReplies } from './writer-queues.ts'

/** The program of the writer thread. Its clock only moves when a command moves it. */
const program = `
import { resourceLimits, threadName } from 'node:worker_threads'
import { command } from ${JSON.stringify(import.meta.resolve('./database.ts'))}
import { serveCommands } from ${JSON.stringify(import.meta.resolve('./sqlite-writer.ts'))}
import { sql } from ${JSON.stringify(import.meta.resolve('kysely'))}

let now = 0
performance.now = () => now
const ask = (transaction, text) => sql.raw(text).execute(transaction)
await serveCommands([
  command('prepare', async (transaction) => {
    await ask(transaction, 'create table if not exists parent (id integer primary key)')
    const parent = 'parent integer references parent (id) deferrable initially deferred'
    await ask(transaction, \`create table if not exists child (\${parent})\`)
  }),
  command('break the commit', (transaction) => ask(transaction, 'insert into child values (1)')),
  command('move the clock', async (_transaction, milliseconds) => void (now += milliseconds)),
  command('wait', async (_transaction, [hasStarted, mayEnd]) => {
    Atomics.store(hasStarted, 0, 1)
    Atomics.notify(hasStarted, 0)
    Atomics.wait(mayEnd, 0, 0, 1_000)
  }),
  command('describe the thread', async () => {
    const { maxYoungGenerationSizeMb } = resourceLimits
    return { threadName, maxYoungGenerationSizeMb, execArgv: process.execArgv }
  }),
])
`

describe('startWriter', () => {
  let folder: string
  let writer: WriterClient
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-client-'))
    writeFileSync(join(folder, 'writer.mjs'), program)
  })
  after(() => rmSync(folder, { recursive: true }))
  beforeEach(async () => {
    const module = pathToFileURL(join(folder, 'writer.mjs'))
    writer = await startWriter(join(folder, 'keystile.db'), module, () => {})
  })
  afterEach(() => writer.close())

  const write = (name: string, value: unknown = 0, patienceMilliseconds = 0): Promise<unknown> =>
    writer.write(
      command(name, () => assert.fail('the writer thread runs the command')),
      value,
      patienceMilliseconds,
    )
  const moveClock = (milliseconds: number, patienceMilliseconds = 0): Promise<unknown> =>
    write('move the clock', milliseconds, patienceMilliseconds)

  it('a SQLite commit has at most 64 commands, and none that starts after 5 ms', async () => {
    await write('prepare')
    /** Sends commands in one message. Returns how many of them share the commit that fails. */
    const countTogether = async (clock: readonly number[]): Promise<number> => {
      const patient = [
        write('break the commit', 0, 1_000),
        ...clock.map((milliseconds) => moveClock(milliseconds, 1_000)),
      ]
      const answers = await Promise.allSettled([...patient, moveClock(0)])
      return answers.filter(({ status }) => status === 'rejected').length
    }
    assert.equal(await countTogether(Array<number>(100).fill(0)), 64)
    assert.equal(await countTogether([4, 0, 1, 0, 0]), 4)
  })

  it('a SQLite command joins the commit of the command that runs when it arrives', async () => {
    await write('prepare')
    const createFlag = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))
    const [hasStarted, mayEnd] = [createFlag(), createFlag()]
    const running = write('wait', [hasStarted, mayEnd])
    Atomics.wait(hasStarted, 0, 0, 1_000)
    const breaking = write('break the commit')
    Atomics.store(mayEnd, 0, 1)
    Atomics.notify(mayEnd, 0)
    const answers = await Promise.allSettled([running, breaking])
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
  })

  it('a SQLite command that can wait is sent with another one, or after 20 ms', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const post = t.mock.method(Worker.prototype, 'postMessage')
    const countSent = (): readonly unknown[] =>
      post.mock.calls.map(({ arguments: [message] }) =>
        Array.isArray(message) ? message.length : message,
      )

    const writing = [moveClock(0, 20), moveClock(0, 20)]
    t.mock.timers.tick(19)
    assert.deepEqual(countSent(), [])
    t.mock.timers.tick(1)
    assert.deepEqual(countSent(), [2])

    writing.push(moveClock(0, 20), moveClock(0, 19))
    assert.deepEqual(countSent(), [2, 2])
    t.mock.timers.tick(10)
    writing.push(moveClock(0, 20))
    t.mock.timers.tick(19)
    assert.deepEqual(countSent(), [2, 2])
    t.mock.timers.tick(1)
    assert.deepEqual(countSent(), [2, 2, 1])
    await Promise.all(writing)
    await writer.close()
    assert.deepEqual(countSent(), [2, 2, 1, 'close'])
  })

  it('if a value cannot be sent to the writer thread, all commands sent with it fail', async () => {
    const patient = moveClock(0, 1_000)
    const unsendable = write('move the clock', () => 0)
    const answers = await Promise.allSettled([patient, unsendable])
    for (const answer of answers)
      assert.match(String(answer.status === 'rejected' && answer.reason), /could not be cloned/)
    assert.equal(writer.queueLength, 0)
    await moveClock(0)
  })

  /** Whether the thread keeps the process from exiting. */
  const isHeld = (): boolean => process.getActiveResourcesInfo().includes('MessagePort')

  it('the process cannot exit while a SQLite command has no answer', async () => {
    assert.equal(isHeld(), false)
    const [first, second] = [moveClock(5), moveClock(0)] // in two commits
    assert.equal(isHeld(), true)
    await first
    assert.equal(isHeld(), true)
    await second
    assert.equal(isHeld(), false)

    const last = moveClock(0)
    writer.refuse()
    await last
    assert.equal(isHeld(), true) // until the thread has ended
  })

  it('an idle writer thread of SQLite keeps the process alive only while it closes', () => {
    assert.equal(isHeld(), false)
    writer.refuse()
    assert.equal(isHeld(), true)
  })

  it('the writer thread of SQLite gets a name, a memory limit and --conditions', async () => {
    assert.deepEqual(await write('describe the thread'), {
      threadName: 'keystile-writer',
      maxYoungGenerationSizeMb: 6,
      execArgv: process.execArgv.filter((argument) => argument.startsWith('--conditions=')),
    })
  })

  it('serveCommands throws outside of a worker thread', async () => {
    await assert.rejects(
      serveCommands([]),
      /^Error: serveCommands\(\) must run in a worker thread$/,
    )
  })
})

describe('createReplies', () => {
  it('createReplies passes on up to 4 replies in each turn of the event loop', async () => {
    const settled: number[] = []
    const { add, settleAll } = createReplies(({ id }) => settled.push(id))
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    const reply = (id: number): WriterReply => ({ id, result: undefined })

    add([1, 2, 3, 4, 5, 6].map(reply))
    add([7, 8, 9].map(reply))
    assert.deepEqual(settled, [1, 2, 3, 4])
    await turn()
    assert.deepEqual(settled, [1, 2, 3, 4, 5, 6, 7, 8])
    settleAll()
    assert.deepEqual(settled, [1, 2, 3, 4, 5, 6, 7, 8, 9])
    await turn()
    add([10].map(reply))
    assert.equal(settled.at(-1), 10)
  })
})
