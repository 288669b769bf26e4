import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { copyMigratedFile } from '../../../test-support/migrated.ts'
import { underLease } from '../../server/commands.ts'
import type { Database } from '../../storage/database.ts'
import { openDatabase } from '../../storage/open.ts'
import { openLease, type Lease } from '../lease/lease.ts'
import { releaseLease } from '../lease/store.ts'
import { createQueueCommands, type QueuedRow } from './rows.ts'
import { startWorker, type Failure, type Queue, type Worker } from './worker.ts'

const table = 'app_event'
const now = Date.UTC(2026, 10, 25)
const minute = 60_000

/** A try that has not ended. */
interface Try {
  readonly row: QueuedRow
  readonly signal: AbortSignal
  succeed(): void
  fail(): void
}

describe('the worker of a queue', () => {
  let folder: string
  let database: Database
  let file: DatabaseSync
  let lease: Lease
  let worker: Worker
  let started: Try[]
  let reports: unknown[]
  let warnings: unknown[]
  let failure: Failure
  const commands = createQueueCommands<QueuedRow>(table)

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-worker-'))
    const path = await copyMigratedFile(join(folder, 'keystile.db'))
    database = await openDatabase(path, new URL('../../server/writer-thread.ts', import.meta.url))
    file = new DatabaseSync(path, { timeout: 5_000 })
  })
  after(async () => {
    file.close()
    await database.close()
    rmSync(folder, { recursive: true })
  })

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] })
    ;[started, reports, warnings] = [[], [], []]
    failure = { code: 'away', isFinal: false }
  })
  afterEach(async () => {
    for (const { succeed } of started) succeed()
    await worker.close()
    await lease.close()
    mock.restoreAll()
    mock.timers.reset()
    file.exec(`delete from ${table}; delete from lease`)
  })

  const queue: Queue<QueuedRow> = {
    table,
    commands,
    deliver: (row, signal) =>
      new Promise((resolve, reject) => {
        const fail = (): void => reject(new Error('the receiver is away'))
        started.push({ row, signal, succeed: resolve, fail })
      }),
    failureOf: () => failure,
    report: (row, failed) => void reports.push([row.id, failed?.failure]),
  }

  /** Starts a worker, which has the lease as soon as it delivers something. */
  function start(): void {
    const logger = {
      ...silentLogger,
      warn: ({ err, table }: { readonly err?: unknown; readonly table?: unknown }, text: string) =>
        void warnings.push([(err as Error).message, table, text]),
    }
    lease = openLease(database, { underLease, logger: silentLogger })
    worker = startWorker(queue, { database, lease, clock: { now: () => now }, logger })
  }
  function insert(id: string, fields: { readonly tries?: number } = {}): void {
    const { tries = 0 } = fields
    file
      .prepare(`insert into ${table} values (?, '', ?, ?, ?, ?, null, null)`)
      .run(id, now, now + 1e9, tries, now)
  }
  const rows = (): readonly Readonly<Record<string, unknown>>[] =>
    file.prepare(`select id, tries, next_try_at, dead_at, failure from ${table} order by id`).all()
  async function until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await setImmediate()
  }
  /** Waits until the worker has done everything that it does without a new tick. */
  async function settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await setImmediate()
      await database.write(releaseLease, { name: 'none', fence: 0 })
    }
    await setImmediate()
  }
  async function tick(): Promise<void> {
    mock.timers.tick(1_000)
    await settle()
  }
  const names = (): string => started.map(({ row }) => row.id).join()

  it('a worker starts as soon as its process has the lease, and erases delivered rows', async () => {
    insert('a')
    start()
    await until(() => started.length === 1)
    assert.deepEqual(
      rows().map((row) => ({ ...row })),
      [{ id: 'a', tries: 1, next_try_at: now + 1.5 * minute, dead_at: null, failure: null }],
    )
    assert.equal(started[0]?.row.tries, 1)
    started[0].succeed()
    await until(() => rows().length === 0)
    await settle()
    assert.deepEqual([reports, warnings], [[['a', undefined]], []])
  })

  it('a worker looks for rows once a second, and writes nothing if there are none', async () => {
    start()
    await until(() => lease.isHeld)
    await settle()
    const write = mock.method(database, 'write')
    mock.timers.tick(1_000)
    await setImmediate()
    await setImmediate()
    assert.equal(write.mock.callCount(), 0)
    write.mock.restore()

    insert('a')
    mock.timers.tick(999)
    await settle()
    assert.equal(names(), '')
    mock.timers.tick(1)
    await until(() => names() === 'a')
  })

  it('a worker delivers nothing while another process has the lease', async () => {
    file.exec(`insert into lease values ('jobs', 'other', 1, ${Date.now() + 9_000})`)
    insert('a')
    start()
    await tick()
    assert.deepEqual([names(), rows()[0]?.['tries'], warnings], ['', 0, []])
  })

  it('the next try is 10 s after the first, later after each further one, at most 1 h', async () => {
    for (const [tries, id] of [0, 1, 8, 9, 30].entries()) insert(`${tries}`, { tries: id })
    start()
    await until(() => started.length === 5)
    for (const { fail } of started) fail()
    await until(() => reports.length === 5)
    assert.deepEqual(
      rows().map((row) => [
        row['failure'],
        row['dead_at'],
        (Number(row['next_try_at']) - now) / 1e3,
      ]),
      [10, 20, 2_560, 3_600, 3_600].map((seconds) => ['away', null, seconds]),
    )
    assert.deepEqual(reports[0], ['0', failure])
  })

  it('a row whose failure is final becomes a dead letter', async () => {
    failure = { code: 'refused', isFinal: true }
    insert('a')
    start()
    await until(() => started.length === 1)
    started[0]?.fail()
    await until(() => reports.length === 1)
    assert.deepEqual([rows()[0]?.['failure'], rows()[0]?.['dead_at']], ['refused', now])
  })

  it('a worker delivers ten rows at once, and claims more when at most five are left', async () => {
    for (let n = 10; n < 22; n++) insert(`${n}`)
    start()
    await until(() => started.length === 10)
    await tick()
    for (const { succeed } of started.slice(0, 4)) {
      succeed()
      await settle()
    }
    assert.equal(started.length, 10)
    started[4]?.succeed()
    await until(() => started.length === 12)
    assert.equal(names(), '10,11,12,13,14,15,16,17,18,19,20,21')
  })

  it('after a failed delivery, a worker claims the next rows only a second later', async () => {
    insert('a')
    start()
    await until(() => started.length === 1)
    insert('b')
    started[0]?.fail()
    await until(() => reports.length === 1)
    await settle()
    assert.equal(names(), 'a')
    await tick()
    assert.equal(names(), 'a,b')
  })

  it('of several failures of the database in a row, a worker logs the first', async () => {
    const gone = (): void => file.exec(`alter table ${table} rename to gone`)
    start()
    await until(() => lease.isHeld)
    await settle()
    for (let round = 1; round <= 2; round++) {
      gone()
      await tick()
      await tick()
      assert.deepEqual(
        warnings,
        Array(round).fill([`no such table: ${table}`, table, 'a queue cannot be read or written']),
      )
      file.exec(`alter table gone rename to ${table}`)
      await tick()
    }
  })

  it('if the outcome of a delivery cannot be written, a worker waits for the next tick', async () => {
    insert('a')
    start()
    await until(() => started.length === 1)
    insert('b')
    const write = mock.method(database, 'write', () => Promise.reject(new Error('the disk fails')))
    started[0]?.succeed()
    await until(() => warnings.length === 1)
    write.mock.restore()
    await settle()
    assert.deepEqual([names(), reports], ['a', []])
    await tick()
    assert.equal(names(), 'a,b')
  })

  it('a worker that lost the lease during a delivery changes nothing and logs nothing', async () => {
    insert('a')
    start()
    await until(() => started.length === 1)
    file.exec("update lease set fence = fence + 1, holder = 'other'")
    started[0]?.succeed()
    await until(() => !lease.isHeld)
    await settle()
    assert.deepEqual([rows().length, reports, warnings], [1, [], []])
  })

  it('a worker delivers no claimed row if its lease has expired meanwhile', async () => {
    insert('a')
    let time = performance.now()
    mock.method(performance, 'now', () => time)
    const write = database.write.bind(database)
    mock.method(database, 'write', async (...given: Parameters<typeof write>) => {
      const result = await write(...given)
      time += 10_000
      return result
    })
    start()
    await until(() => rows()[0]?.['tries'] === 1)
    await settle()
    assert.deepEqual([started, warnings], [[], []])
  })

  it('close() ends the ticks, and waits for rows that are being delivered', async () => {
    insert('a')
    start()
    await until(() => started.length === 1)
    insert('b')
    const closed = worker.close().then(() => rows().map(({ id }) => id))
    await tick()
    assert.equal(names(), 'a')
    started[0]?.succeed()
    assert.deepEqual(await closed, ['b'])
    await tick()
    assert.equal(names(), 'a')
  })

  it('close() interrupts a delivery after 5 s, and the row is tried again later', async () => {
    mock.timers.reset()
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    insert('a')
    start()
    await until(() => started.length === 1)
    const closed = worker.close()
    await settle()
    mock.timers.tick(4_999)
    await settle()
    assert.deepEqual([started[0]?.signal.aborted, reports], [false, []])
    mock.timers.tick(1)
    await closed
    assert.deepEqual([started[0]?.signal.aborted, reports], [true, [['a', failure]]])
    assert.deepEqual([rows()[0]?.['failure'], rows()[0]?.['dead_at']], ['away', null])
  })

  it('a worker does not keep a process alive', async () => {
    mock.timers.reset()
    const countTimers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = countTimers()
    start()
    assert.equal(countTimers(), before)
    await worker.close()
    await lease.close()
    assert.equal(countTimers(), before)
  })
})
