// Streams of revocations whose heartbeats the test sends itself: the tests set the time.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { createClients, type Clients, type ProvenClient } from '../clients/clients.ts'
import { openEventFeed, type EventFeed } from '../events/events.ts'
import { createRevocationStreams, type RevocationStreams, type StreamLimits } from './streams.ts'

const now = Date.UTC(2026, 10, 25)
const limits: StreamLimits = { streams: 10, streamsOfClient: 5, stallMilliseconds: 500 }

describe('createRevocationStreams with a clock that the test sets', () => {
  let folder: string
  let database: Database
  let feed: EventFeed
  let clients: Clients
  let others: DatabaseSync
  let streams: RevocationStreams
  let time: number
  let ageSeconds: number
  let tail: EventFeed['tail']
  let logged: unknown[]
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-stream-times-'))
    const file = join(folder, 'keystile.db')
    database = await openDatabase(
      file,
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    feed = await openEventFeed(database, { clock: { now: () => now }, logger: silentLogger })
    clients = createClients(database, feed, { now: () => now })
    others = new DatabaseSync(file, { timeout: 60_000 })
  })
  beforeEach(() => {
    time = 0
    ageSeconds = 0
    tail = feed.tail
    logged = []
    mock.timers.enable({ apis: ['setInterval'] })
    start()
  })
  afterEach(() => {
    streams.close()
    mock.restoreAll()
    mock.timers.reset()
    others.exec('delete from client')
  })
  after(async () => {
    others.close()
    await feed.close()
    await database.close()
    rmSync(folder, { recursive: true })
  })

  /** Creates the streams again, with other clients or limits. */
  function start(
    findAll: Clients['findAll'] = clients.findAll,
    given: StreamLimits | 'standard' = limits,
  ): void {
    streams?.close()
    const logger = {
      ...silentLogger,
      warn: (fields: object) => void logged.push(fields),
      debug: (fields: object) => void logged.push(fields),
    }
    // The age of the feed and its reads are what the test sets. All else is as it is.
    const aged = Object.create(feed, {
      ageSeconds: { get: () => ageSeconds },
      tail: { get: () => tail },
    }) as EventFeed
    const parts = { feed: aged, clients: { findAll }, logger }
    streams =
      given === 'standard' ? createRevocationStreams(parts) : createRevocationStreams(parts, given)
  }
  const stopTime = (): unknown => mock.method(performance, 'now', () => time)
  const beat = (): void => mock.timers.tick(1_000)
  const tooLate = async (): Promise<never> => {
    await delay(120_000, undefined, { ref: false })
    assert.fail('a piece of the stream must arrive within two minutes')
  }
  const turn = (): Promise<void> => delay(30)

  async function addReader(id: string): Promise<ProvenClient> {
    const client = { id, grants: [], scopes: [], may: ['revocations'] } as const
    await clients.create({ ...client, confidential: true }, byOperator)
    return (await clients.find(id)) ?? assert.fail('there must be a client')
  }
  async function insert(kind: string, value: string): Promise<void> {
    others
      .prepare(
        'insert into event (id, seq, kind, value, created_at, expires_at) values (?, null, ?, ?, 0, ?)',
      )
      .run(`${kind}-${value}`, kind, value, now + 1)
    await feed.tail()
  }

  /** A reader of a stream. `next` reads the next piece, and returns its events without their data. */
  async function open(proven: ProvenClient, lastEventId?: string) {
    const stream = await streams.open(proven, lastEventId)
    assert.ok(typeof stream === 'object')
    const reader = stream.getReader()
    const next = async (): Promise<readonly string[] | 'end'> => {
      const { done, value } = await Promise.race([reader.read(), tooLate()])
      if (done) return 'end'
      return Array.from(
        Buffer.from(value)
          .toString()
          .matchAll(/^event: (\w+)$/gm),
        ([, name = '']) => name,
      )
    }
    return { next }
  }
  /** Opens a stream, and reads until the first heartbeat. */
  async function openCurrent(proven: ProvenClient) {
    const reader = await open(proven)
    let pieces = await reader.next()
    assert.deepEqual(pieces, ['reset'])
    while (pieces !== 'end' && !pieces.includes('current')) pieces = await reader.next()
    return reader
  }

  it('a revocation stream makes no chunk until the reader asks for one', async () => {
    const { next } = await open(await addReader('api'))
    assert.deepEqual(await next(), ['reset'])
    await turn()
    await insert('session', 'early')
    assert.deepEqual(await next(), ['revocation'])
    assert.deepEqual(await next(), ['current'])
    for (let beats = 0; beats < 2; beats++) {
      beat()
      await turn()
    }
    assert.deepEqual(await next(), ['current'])
    const later = next()
    await insert('session', 'later')
    assert.deepEqual(await later, ['revocation'])
  })

  it('a revocation stream sends a heartbeat each second if the feed is under 1 s old', async () => {
    const { next } = await openCurrent(await addReader('api'))
    let heartbeats = 0
    const reading = (async () => {
      while ((await next()) !== 'end') heartbeats++
    })()
    for (const [age, expected] of [
      [0, 1],
      [0.999, 2],
      [1, 2],
      [60, 2],
    ] as const) {
      ageSeconds = age
      beat()
      await turn()
      assert.equal(heartbeats, expected, `${age} s`)
    }
    ageSeconds = 0
    await insert('session', 'x') // the heartbeat that was kept back follows it
    await turn()
    assert.equal(heartbeats, 4)
    streams.close()
    await reading
  })

  it('a revocation reader is disconnected if it stalls too long, not while it waits', async () => {
    stopTime()
    const proven = await addReader('api')
    await open(proven) // nobody reads it
    time = limits.stallMilliseconds + 1
    beat()
    assert.equal(streams.count, 0)
    logged = []

    const waiting = await openCurrent(proven)
    const heartbeat = waiting.next()
    time = 2_000
    const stalled = await openCurrent(proven)
    time += limits.stallMilliseconds
    beat()
    assert.deepEqual(await heartbeat, ['current'])
    assert.equal(streams.count, 2)

    const other = waiting.next()
    time++
    beat()
    assert.equal(streams.count, 1)
    assert.deepEqual(logged, [{ client: 'api' }])
    await assert.rejects(
      stalled.next(),
      /^Error: the server ended the stream before the client had read all of it$/,
    )
    assert.deepEqual(await other, ['current'])
  })

  it('a client’s deletion, new secret or lost permission ends its revocation streams', async () => {
    const readers: Record<string, Awaited<ReturnType<typeof open>>> = {}
    for (const id of ['kept', 'gone', 'changed', 'limited'])
      readers[id] = await openCurrent(await addReader(id))
    const ends = ['gone', 'changed', 'limited'].map(async (id) => {
      while ((await readers[id]?.next()) !== 'end');
    })
    others.exec(`delete from client where id = 'gone';
      update client set secret_hash = 'other' where id = 'changed';
      update client set may = '["introspect"]' where id = 'limited'`)
    beat()
    await Promise.all(ends)
    assert.equal(streams.count, 1)
    beat()
    assert.deepEqual(await readers['kept']?.next(), ['current'])
  })

  it('look-ups of clients run one at a time, and continue after a failed look-up', async () => {
    let lookUps = 0
    let answer = Promise.withResolvers<ReadonlyMap<string, ProvenClient>>()
    start((ids) => {
      lookUps++
      assert.deepEqual(ids, ['api'])
      return answer.promise
    })
    beat()
    await turn()
    assert.equal(lookUps, 0) // there is no stream yet

    const proven = await addReader('api')
    await openCurrent(proven)
    await openCurrent(proven)
    beat()
    beat()
    assert.equal(lookUps, 1)
    const failure = new Error('the database does not answer')
    answer.reject(failure)
    await turn()
    assert.deepEqual(logged, [{ err: failure }])
    answer = Promise.withResolvers()
    beat()
    assert.equal(lookUps, 2)
    answer.resolve(new Map())
    await turn()
    assert.equal(streams.count, 0)
  })

  it('an event about a client ends only this client’s streams; other events end none', async () => {
    const reader = await openCurrent(await addReader('api'))
    await openCurrent(await addReader('other'))
    await insert('session', 'api')
    assert.equal(streams.count, 2)
    assert.deepEqual(await reader.next(), ['revocation'])
    const end = reader.next()
    await clients.disable('api', byOperator)
    assert.equal(streams.count, 1)
    assert.equal(await end, 'end')
  })

  it('while the database is down, a reader can resume after an event held in memory', async () => {
    const proven = await addReader('api')
    await insert('session', 'known')
    const row = others.prepare("select seq from event where id = 'session-known'").get()
    tail = () => Promise.reject(new Error('the database is away'))
    const { next } = await open(proven, `${String(row?.['seq'])}.session-known`)
    assert.deepEqual(await next(), ['current'])
    await assert.rejects(streams.open(proven, '999.unknown'), /the database is away/)
  })

  it('a client can open 100 streams of revocations, and all clients together 1,000', async () => {
    start(clients.findAll, 'standard')
    const proven = await addReader('api')
    for (let n = 0; n < 10; n++) {
      const as = { ...proven, client: { ...proven.client, id: `api-${n}` } }
      for (let m = 0; m < 100; m++)
        assert.equal(typeof (await streams.open(as, undefined)), 'object')
      assert.equal(await streams.open(as, undefined), n === 9 ? 'full' : 'client full')
    }
    assert.equal(streams.count, 1_000)
  })

  it('the heartbeats of revocation streams do not keep the process alive', () => {
    mock.timers.reset()
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    start()
    assert.equal(timers(), before)
  })
})
