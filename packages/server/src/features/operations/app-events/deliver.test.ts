import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { Kysely } from 'kysely'
import { openMigratedFile, type MigratedFile } from '../../../../test-support/migrated.ts'
import { underLease } from '../../../server/commands.ts'
import type { Database } from '../../../storage/database.ts'
import { openSqliteFile } from '../../../storage/sqlite-connection.ts'
import { sqliteDialect } from '../../../storage/sqlite-dialect.ts'
import { releaseLease } from '../lease/store.ts'
import type { AppEvent, DurableEventHandler } from './app-event.ts'
import { countDeadEvents } from './dead-letters.ts'
import { startEventDelivery, type EventDelivery } from './deliver.ts'
import { feature } from './feature.ts'
import { announceEvent } from './in-transaction.ts'
import { listEvents } from './store.ts'

const now = Date.UTC(2026, 10, 25)
const hour = 60 * 60 * 1000
const week = 7 * 24 * hour

describe('the delivery of durable events', () => {
  let migrated: MigratedFile
  let database: Database
  let file: DatabaseSync
  let delivery: EventDelivery
  let logged: unknown[]
  before(async () => {
    migrated = await openMigratedFile()
    ;({ database, file } = migrated)
  })
  after(() => migrated.close())
  beforeEach(() => {
    logged = []
    mock.timers.enable({ apis: ['setInterval'] })
  })
  afterEach(async () => {
    await delivery.close()
    mock.restoreAll()
    mock.timers.reset()
    file.exec('delete from app_event; delete from event_handler; delete from lease')
  })

  const start = async (handle: DurableEventHandler['handle']): Promise<void> => {
    const log = (fields: object, text: string): void => void logged.push([fields, text])
    delivery = await startEventDelivery({
      onEvent: { durable: true, handle },
      database,
      underLease,
      clock: { now: () => now },
      logger: { ...silentLogger, warn: log, error: log },
    })
  }
  const insert = (id: string, createdAt = now): void =>
    void file
      .prepare('insert into app_event values (?, ?, ?, ?, 0, 0, null, null)')
      .run(id, '{"type":"disabled","subject":"ada"}', createdAt, now + week)
  const rows = (): readonly Readonly<Record<string, unknown>>[] =>
    file.prepare('select * from app_event order by id').all()
  const expiry = (): unknown => file.prepare('select * from event_handler').get()?.['expires_at']

  it('the failure of an event is `timeout` if the handler timed out, else `error`', async () => {
    const errors = new Map<string, unknown>([
      ['1', new DOMException('late', 'TimeoutError')],
      ['2', new DOMException('closed', 'AbortError')],
      ['3', Object.assign(new Error('late'), { name: 'TimeoutError' })],
    ])
    for (const id of errors.keys()) insert(id)
    await start(({ id }) => Promise.reject(errors.get(id)))
    while (logged.length < 3) await setImmediate()
    assert.deepEqual(
      rows().map(({ failure, dead_at }) => [failure, dead_at]),
      [
        ['timeout', null],
        ['error', null],
        ['error', null],
      ],
    )
    assert.deepEqual(
      new Set(logged.map((entry) => (entry as readonly [object, string])[0])),
      new Set(Array.from(errors, ([id, err]) => ({ err, event: 'disabled', id, tries: 1 }))),
    )
  })

  it('an event over seven days old is a dead letter when its handler fails', async () => {
    insert('a', now - week)
    insert('b', now - week - 1)
    assert.deepEqual(
      (await listEvents(database.reader, 1)).map(({ id }) => id),
      ['a'],
    )
    assert.equal(await countDeadEvents(database, now), 1)
    await start(() => {
      throw new Error('away')
    })
    while (logged.length < 2) await setImmediate()
    assert.deepEqual(
      rows().map(({ dead_at }) => dead_at),
      [null, now],
    )
    assert.deepEqual(logged.map((entry) => (entry as readonly [object, string])[1]).toSorted(), [
      'the app did not handle an event for 7 days; it is not tried again',
      'the function onEvent.handle of the app failed; it is called again',
    ])
    assert.equal(delivery.readGauges().length, 2)
    await setImmediate()
    assert.deepEqual(
      delivery.readGauges().map(({ gauge, value }) => [gauge.name, value]),
      [
        ['keystile_events_waiting', 1],
        ['keystile_events_dead', 1],
      ],
    )
  })

  it('a process renews the event_handler row each hour, and warns if a renewal fails', async () => {
    const settle = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await setImmediate()
        await database.write(releaseLease, { name: 'none', fence: 0 })
      }
    }
    await start(() => {})
    assert.ok(Number(expiry()) > Date.now())
    file.exec('update event_handler set expires_at = 0')
    mock.timers.tick(hour - 1)
    await settle()
    assert.equal(expiry(), 0)
    mock.timers.tick(1)
    while (expiry() === 0) await setImmediate()
    assert.deepEqual(
      { ...file.prepare('select name from event_handler').get() },
      { name: 'onEvent' },
    )

    const write = mock.method(database, 'write', () => Promise.reject(new Error('no disk')))
    mock.timers.tick(hour)
    while (logged.length === 0) await setImmediate()
    write.mock.restore()
    assert.deepEqual(logged, [
      [{ err: new Error('no disk') }, 'the handler of events could not be stored'],
    ])

    file.exec('update event_handler set expires_at = 0')
    await delivery.close()
    const lease = { ...file.prepare('select name, expires_at from lease').get() }
    assert.deepEqual(lease, { name: 'events', expires_at: 0 })
    mock.timers.tick(hour)
    await settle()
    assert.equal(expiry(), 0)
  })

  it('the delivery of events does not keep a process alive', async () => {
    mock.timers.reset()
    const countTimers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = countTimers()
    await start(() => {})
    assert.equal(countTimers(), before)
  })
})

describe('announceEvent', () => {
  it('announceEvent stores events for 30 days, but only for an app with a handler', async () => {
    const { path, file, close } = await openMigratedFile()
    const db = new Kysely<unknown>({
      dialect: sqliteDialect(openSqliteFile(path, 'write')),
    })
    const event = { type: 'disabled', subject: 'ada', actor: 'app', at: new Date(now) } as const
    const announce = (...events: readonly AppEvent[]): Promise<void> =>
      db.transaction().execute((transaction) => announceEvent(transaction, ...events))
    const purge = (days: number): Promise<unknown> => {
      const [step] = feature.cleanUp ?? []
      const values = { before: step?.before(now + days * 24 * hour, {}) ?? 0 }
      return db.transaction().execute(async (transaction) => step?.command.run(transaction, values))
    }
    const countRows = (): number => file.prepare('select id from app_event').all().length
    try {
      const handlerUntil = (time: number): void =>
        void file.prepare("replace into event_handler values ('onEvent', ?)").run(time)
      await announce(event)
      handlerUntil(Date.now() - 1)
      await announce(event)
      assert.equal(countRows(), 0)
      handlerUntil(Date.now() + hour)
      await announce()
      await announce(event, { ...event, type: 'enabled' })
      assert.equal(countRows(), 2)
      await purge(30)
      assert.equal(countRows(), 2)
      await purge(30.01)
      assert.equal(countRows(), 0)
    } finally {
      await db.destroy()
      await close()
    }
  })
})

describe('the setting onEvent', () => {
  it('onEvent must be a function, or an object with only `durable: true` and `handle`', () => {
    const handle = (): void => {}
    const isValid = (value: unknown): boolean | undefined =>
      feature.settings?.[0]?.schema.safeParse(value).success
    assert.deepEqual([handle, { durable: true, handle }].map(isValid), [true, true])
    for (const value of [
      null,
      'log',
      { handle },
      { durable: false, handle },
      { durable: true },
      { durable: true, handle: 'log' },
      { durable: true, handle, retries: 3 },
    ])
      assert.equal(isValid(value), false, JSON.stringify(value))
  })
})

describe('the rule about events that are dead letters', () => {
  const find = (machine?: object): readonly unknown[] | undefined =>
    feature.rules?.[0]?.find({ machine } as never, undefined as never)

  it('keystile doctor reports how many events are dead letters', () => {
    assert.deepEqual(
      [find(), find({ database: undefined }), find({ database: { kind: 'unavailable' } })],
      [undefined, undefined, undefined],
    )
    assert.deepEqual([find({ database: {} }), find({ database: { deadEvents: 0 } })], [[], []])
    const fix = 'correct the handler of onEvent, and run "keystile event retry"'
    for (const [deadEvents, message] of [
      [1, 'must be handled; 1 is a dead letter'],
      [2, 'must be handled; 2 are dead letters'],
    ] as const)
      assert.deepEqual(find({ database: { deadEvents } }), [{ about: 'events', message, fix }])
  })
})
