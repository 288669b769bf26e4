// The rows of a queue, the worker that delivers them, and the gauges.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { Kysely, sql } from 'kysely'
import { until } from '../../../../../../tools/until.ts'
import {
  copyMigratedFile,
  openMigratedFile,
  type MigratedFile,
} from '../../../../test-support/migrated.ts'
import type { GaugeMetric } from '../../../feature/metric.ts'
import { underLease } from '../../../server/commands.ts'
import type { Command, Database, Reader } from '../../../storage/database.ts'
import { openSqliteFile } from '../../../storage/sqlite-connection.ts'
import { sqliteDialect } from '../../../storage/sqlite-dialect.ts'
import { openLease, type Lease } from '../lease/lease.ts'
import { releaseLease } from '../lease/store.ts'
import { createQueueGauges } from './gauges.ts'
import { countRows, createQueueCommands, hasDueRow, newRow, type QueuedRow } from './rows.ts'
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
  let migrated: MigratedFile
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
    migrated = await openMigratedFile()
    ;({ database, file } = migrated)
  })
  after(() => migrated.close())

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
    reportDelivery: (row) => void reports.push([row.id, undefined]),
    reportFailure: (row, { failure }) => void reports.push([row.id, failure]),
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

  it('a worker starts when its process has the lease, and erases delivered rows', async () => {
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

  it('the pause after failed tries starts at 10 s, and doubles up to one hour', async () => {
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

  it('a queue row becomes a dead letter if its delivery fails with a final error', async () => {
    failure = { code: 'refused', isFinal: true }
    insert('a')
    start()
    await until(() => started.length === 1)
    started[0]?.fail()
    await until(() => reports.length === 1)
    assert.deepEqual([rows()[0]?.['failure'], rows()[0]?.['dead_at']], ['refused', now])
  })

  it('a worker delivers ten rows in parallel, and claims more when five are left', async () => {
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

  it('if a retry makes a row due during its delivery, a worker delivers it only once', async () => {
    insert('a')
    start()
    await until(() => started.length === 1)
    await database.write(commands.retry, { id: undefined, now })
    assert.equal(rows()[0]?.['tries'], 0)
    await tick()
    assert.deepEqual([names(), rows()[0]?.['tries']], ['a', 1])
    started[0]?.succeed()
    await until(() => rows().length === 0)
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

  it('while the database keeps failing, a queue worker logs only the first failure', async () => {
    const gone = (): void => file.exec(`alter table ${table} rename to gone`)
    gone()
    start()
    await until(() => lease.isHeld)
    for (let round = 1; round <= 2; round++) {
      await tick()
      await tick()
      assert.equal(warnings.length, round)
      assert.deepEqual(warnings.at(-1), [
        `no such table: ${table}`,
        table,
        'waiting mails or events cannot be read or written; Keystile tries again',
      ])
      file.exec(`alter table gone rename to ${table}`)
      await tick()
      gone()
    }
    file.exec(`alter table gone rename to ${table}`)
  })

  it('if a delivery’s outcome cannot be written, a worker waits for the next tick', async () => {
    insert('a')
    start()
    await until(() => started.length === 1)
    insert('b')
    const fail = (): Promise<never> => Promise.reject(new Error('the disk fails'))
    mock.method(database, 'write').mock.mockImplementationOnce(fail)
    started[0]?.succeed()
    await until(() => warnings.length === 1)
    await settle()
    assert.deepEqual([names(), reports], ['a', []])
    await tick()
    assert.equal(names(), 'a,b')
  })

  it('if a worker loses its lease during a delivery, it writes and logs nothing', async () => {
    insert('a')
    start()
    await until(() => started.length === 1)
    file.exec("update lease set fence = fence + 1, holder = 'other'")
    started[0]?.succeed()
    await until(() => !lease.isHeld)
    await settle()
    assert.deepEqual([rows().length, reports, warnings], [1, [], []])
  })

  it('if the lease expires during a claim, a worker does not deliver the claimed row', async () => {
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

  it('close() of a worker stops its timer, and waits for deliveries in progress', async () => {
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

  it('close() of a worker waits for a running claim and the delivery of its rows', async () => {
    const [gate, write] = [Promise.withResolvers<void>(), database.write.bind(database)]
    insert('a')
    const gated = mock.method(database, 'write', async (...given: Parameters<typeof write>) => {
      await gate.promise
      return write(...given)
    })
    start()
    await until(() => gated.mock.callCount() === 1)
    let isClosed = false
    const closed = worker.close().then(() => (isClosed = true))
    for (let round = 0; round < 5; round++) await setImmediate()
    assert.equal(isClosed, false)
    gate.resolve()
    await until(() => started.length === 1)
    assert.equal(isClosed, false)
    started[0]?.succeed()
    await closed
    assert.equal(rows().length, 0)
  })

  it('close() of a worker aborts a delivery after 5 s, and the row is retried later', async () => {
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

describe('the rows of a queue', () => {
  let folder: string
  let db: Reader
  const { claim, retry } = createQueueCommands<QueuedRow>(table)

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-rows-'))
    const file = await copyMigratedFile(join(folder, 'keystile.db'))
    db = new Kysely<unknown>({ dialect: sqliteDialect(openSqliteFile(file, 'write')) })
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true })
  })

  const run = <Values, Result>(of: Command<Values, Result>, values: Values): Promise<Result> =>
    db.transaction().execute((transaction) => of.run(transaction, values))
  async function insert(id: string, fields: Partial<QueuedRow> = {}): Promise<void> {
    const { expires_at, tries, next_try_at, dead_at } = { ...newRow(now, 1_000), ...fields }
    const { created_at = now } = fields
    await sql`insert into app_event values
      (${id}, '', ${created_at}, ${expires_at}, ${tries}, ${next_try_at}, ${dead_at}, null)`.execute(
      db,
    )
  }
  const list = async (): Promise<readonly unknown[]> => {
    const { rows } = await sql<QueuedRow>`select * from app_event order by id`.execute(db)
    return rows.map((row) => [row.id, row.tries, row.next_try_at - now, row.dead_at])
  }

  it('a new row of a queue is due immediately, and has no failure', () => {
    assert.deepEqual(newRow(now, 1_000), {
      created_at: now,
      expires_at: now + 1_000,
      tries: 0,
      next_try_at: now,
      dead_at: null,
      failure: null,
    })
  })

  it('a claim takes the rows that have been due longest, but no dead or expired rows', async () => {
    await insert('dead', { dead_at: now })
    await insert('expired', { expires_at: now })
    await insert('later', { next_try_at: now + 1 })
    assert.equal(await hasDueRow(db, table, now), false)
    assert.deepEqual(await run(claim, { now, until: now + 9, limit: 10 }), [])

    await insert('b')
    await insert('a')
    await insert('c', { next_try_at: now - 1, tries: 2 })
    assert.equal(await hasDueRow(db, table, now), true)
    const claimed = await run(claim, { now, until: now + 9, limit: 2 })
    assert.deepEqual(claimed.map(({ id, tries }) => `${id} ${tries}`).toSorted(), ['a 1', 'c 3'])
    assert.deepEqual((await list()).slice(0, 3), [
      ['a', 1, 9, null],
      ['b', 0, 0, null],
      ['c', 3, 9, null],
    ])
  })

  it('a retry without an id makes dead letters and waiting rows due, but no expired ones', async () => {
    await insert('a', { dead_at: now, tries: 24, next_try_at: now + 7 })
    await insert('b', { dead_at: now, tries: 3 })
    await insert('expired', { dead_at: now, expires_at: now })
    await insert('waiting', { tries: 1, next_try_at: now + 5 })
    await insert('due', { tries: 1 })
    assert.deepEqual(await run(retry, { id: undefined, now }), { retried: 3 })
    assert.deepEqual(await list(), [
      ['a', 0, 0, null],
      ['b', 0, 0, null],
      ['due', 1, 0, null],
      ['expired', 0, 0, now],
      ['waiting', 0, 0, null],
    ])
  })

  it('a retry by id makes only that row due, even if the row is not a dead letter', async () => {
    await insert('dead', { dead_at: now, tries: 24 })
    await insert('waiting', { tries: 1, next_try_at: now + 5 })
    await insert('other', { tries: 1, next_try_at: now + 5 })
    assert.deepEqual(await run(retry, { id: 'waiting', now }), { retried: 1 })
    assert.deepEqual(await run(retry, { id: '', now }), { retried: 0 })
    assert.deepEqual(await list(), [
      ['dead', 24, 0, now],
      ['other', 1, 5, null],
      ['waiting', 0, 0, null],
    ])
  })

  it('countRows counts a row as dead if it is dead, or older than `overdueBefore`', async () => {
    await insert('a')
    await insert('b')
    await insert('dead', { dead_at: now })
    await insert('old', { created_at: now - 1 })
    assert.deepEqual(await countRows(db, table), { waiting: 3, dead: 1 })
    assert.deepEqual(await countRows(db, table, now), { waiting: 2, dead: 2 })
  })

  it('countRows returns zeros if the database does not have the table yet', async () => {
    await sql`drop table app_event`.execute(db)
    assert.deepEqual(await countRows(db, table), { waiting: 0, dead: 0 })
  })
})

it('the gauges of a queue return the last count, and count again after 10 s', async (t) => {
  const gaugeOf = (name: string): GaugeMetric => ({ type: 'gauge', name, help: '' })
  const [waiting, dead] = [gaugeOf('waiting'), gaugeOf('dead')]
  let time = 0
  t.mock.method(performance, 'now', () => time)
  let counted = 0
  const read = createQueueGauges({ waiting, dead }, async () => {
    if (++counted === 2) throw new Error('no database')
    return { waiting: counted, dead: counted * 10 }
  })
  const readLater = async (
    milliseconds: number,
  ): Promise<readonly (readonly [string, number])[]> => {
    time += milliseconds
    const readings = read()
    await setImmediate()
    return readings.map(({ gauge, value }) => [gauge.name, value])
  }

  const [first, second, third] = [0, 1, 3].map((n) => [
    ['waiting', n],
    ['dead', n * 10],
  ])
  assert.deepEqual(await readLater(0), first)
  assert.deepEqual(await readLater(10_000), second)
  assert.equal(counted, 1)
  assert.deepEqual(await readLater(1), second)
  assert.deepEqual([await readLater(10_000), counted], [second, 2], 'the count has failed')
  assert.deepEqual(await readLater(1), second)
  assert.deepEqual([await readLater(0), counted], [third, 3])
})
