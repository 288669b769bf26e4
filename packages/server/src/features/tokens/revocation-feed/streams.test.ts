import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLogger, type HttpAnswer } from 'keystile/internal'
import { writeAnswer } from 'keystile/internal-node'
import { until } from '../../../../../../tools/until.ts'
import {
  openReader,
  type Reader,
  type ServerEvent,
} from '../../../../test-support/revocation-reader.ts'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { createClients, type Clients, type ProvenClient } from '../clients/clients.ts'
import { openEventFeed, type EventFeed } from '../events/events.ts'
import { createRevocationStreams, type RevocationStreams, type StreamLimits } from './streams.ts'

const now = Date.UTC(2026, 10, 25)
const clock = { now: () => now }
const limits: StreamLimits = { streams: 3, streamsOfClient: 2, stallMilliseconds: 2_000 }

describe('createRevocationStreams', () => {
  let folder: string
  let file: string
  let database: Database
  let feed: EventFeed
  let clients: Clients
  let proven: ProvenClient
  let streams: RevocationStreams
  let warnings: unknown[]
  const closing: (() => unknown)[] = []

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-streams-'))
    file = join(folder, 'keystile.db')
    database = await openDatabase(
      file,
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    feed = await openEventFeed(database, { clock, logger: silentLogger })
    clients = createClients(database, feed, clock)
    proven = await addReader('api')
    warnings = []
    const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) }
    streams = createRevocationStreams({ feed, clients, logger }, limits)
  })
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
    streams.close()
    await feed.close()
    await database.close()
    rmSync(folder, { recursive: true })
  })

  /** Creates a client that may read revocations. */
  async function addReader(id: string): Promise<ProvenClient> {
    const client = { id, grants: [], scopes: [], may: ['revocations'] } as const
    await clients.create({ ...client, confidential: true }, byOperator)
    return (await clients.find(id)) ?? assert.fail('there must be a client')
  }

  /** Serves the streams on a socket. */
  async function serve(reading = proven): Promise<() => Promise<Reader>> {
    const server = createServer((_request, response) => {
      void streams.open(reading, undefined).then((stream) => {
        const answer: HttpAnswer =
          typeof stream === 'string'
            ? { status: 503, headers: {}, body: stream }
            : { status: 200, headers: {}, stream }
        writeAnswer(response, answer)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    closing.push(() => server.closeAllConnections())
    const { port } = server.address() as AddressInfo
    return async () => {
      const reader = await openReader(`http://127.0.0.1:${port}/`, undefined)
      closing.push(() => reader.close())
      return reader
    }
  }

  /** Inserts events with long values, as another process would, and reads them. */
  async function insert(count: number, bytes: number): Promise<void> {
    const others = new DatabaseSync(file, { timeout: 60_000 })
    const statement = others.prepare(
      "insert into event (id, seq, kind, value, created_at, expires_at) values (?, null, 'session', ?, 0, ?)",
    )
    others.exec('begin')
    for (let i = 0; i < count; i++)
      statement.run(`${i}`.padStart(4, '0'), `${i}`.padEnd(bytes, '-'), now + 1)
    others.exec('commit')
    others.close()
    await feed.tail()
  }

  it('a client can open only a limited number of revocation streams at a time', async () => {
    const open = await serve()
    const openOther = await serve(await addReader('other'))
    const [first, second] = [await open(), await open()]
    assert.deepEqual([first.status, second.status, streams.count], [200, 200, 2])
    const refused = await open()
    assert.deepEqual([refused.status, await refused.text()], [503, 'client full'])
    assert.equal((await openOther()).status, 200)
    first.close()
    await until(() => streams.count === 2)
    assert.equal((await open()).status, 200)
  })

  it('all clients together can open only a limited number of revocation streams', async () => {
    const open = await serve()
    const openOther = await serve(await addReader('other'))
    const readers = [await open(), await openOther(), await openOther()]
    assert.deepEqual(
      readers.map(({ status }) => status),
      [200, 200, 200],
    )
    const refused = await open()
    assert.deepEqual([refused.status, await refused.text()], [503, 'full'])
    readers[1]?.close()
    await until(() => streams.count === 2)
    assert.equal((await open()).status, 200)
  })

  it('a heartbeat says how long ago the request for the revocation stream arrived', async () => {
    const open = await serve()
    async function read(heartbeats: number): Promise<readonly number[]> {
      const askedAt = performance.now()
      const reader = await open()
      const elapsed: number[] = []
      while (elapsed.length < heartbeats) {
        const { event, data } = await reader.next()
        if (event !== 'current') continue
        elapsed.push(data['elapsed_ms'])
        // The request arrived after it had been sent, and the heartbeat was sent before it arrived.
        assert.ok(data['elapsed_ms'] <= performance.now() - askedAt)
      }
      return elapsed
    }
    const [first = assert.fail(), , third = assert.fail()] = await read(3)
    assert.ok(Number.isSafeInteger(first) && first >= 0 && third > first)
    await read(1)
  })

  it('a stalled reader of revocations is disconnected; other readers get all events', async () => {
    const open = await serve()
    const [slow, other] = [await open(), await open()]
    await Promise.all([slow.untilCurrent(), other.untilCurrent()])
    slow.stall()
    await insert(1_000, 30_000) // more bytes than the kernel buffers
    const received: ServerEvent[] = []
    while (received.length < 1_000) received.push(...(await other.untilCurrent()))
    assert.deepEqual(
      received.map(({ data }) => Number.parseInt(data['value'])),
      [...Array(1_000).keys()],
    )
    await until(() => streams.count === 1)
    assert.deepEqual(warnings, [{ client: 'api' }])
    assert.deepEqual(await other.untilCurrent(), [])
  })

  it('a revocation reader that pauses for less than the time limit gets all events', async () => {
    streams.close()
    const patient = { ...limits, stallMilliseconds: 60_000 }
    streams = createRevocationStreams({ feed, clients, logger: silentLogger }, patient)
    await insert(1_000, 30_000)
    const open = await serve()
    const reader = await open()
    reader.stall()
    await new Promise((resolve) => setTimeout(resolve, 500))
    reader.resume()
    assert.equal((await reader.untilCurrent()).length, 1_001)
  })

  it('a revocation stream has no heartbeats while the database cannot be read', async () => {
    const open = await serve()
    const reader = await open()
    await reader.untilCurrent()
    await reader.untilCurrent()
    const others = new DatabaseSync(file, { timeout: 60_000 })
    others.exec('alter table event rename to gone')
    await until(() => feed.ageSeconds > 1)
    let beats = 0
    const counting = (async () => {
      while (beats < 5) {
        await reader.untilCurrent()
        beats++
      }
    })()
    // A heartbeat that was sent earlier may still arrive. None is sent afterwards.
    await until(() => feed.ageSeconds > 2)
    const earlier = beats
    await until(() => feed.ageSeconds > 4)
    assert.equal(beats, earlier)
    others.exec('alter table gone rename to event')
    others.close()
    await counting
  })

  it('a revocation stream stays open if it opens while the server looks up clients', async () => {
    const asked = Promise.withResolvers<void>()
    const mayAnswer = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    const slow = {
      async findAll(ids: readonly string[]) {
        asked.resolve()
        await mayAnswer.promise
        const found = await clients.findAll(ids)
        answered.resolve()
        return found
      },
    }
    streams.close()
    streams = createRevocationStreams({ feed, clients: slow, logger: silentLogger }, limits)
    const [open, openOther] = [await serve(), await serve(await addReader('other'))]
    await open()
    await asked.promise
    await openOther()
    mayAnswer.resolve()
    await answered.promise
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(streams.count, 2)
  })

  it('disabling a client disconnects its stalled revocation stream at once', async () => {
    const open = await serve()
    const reader = await open()
    await reader.untilCurrent()
    reader.stall()
    await insert(1_000, 30_000)
    await until(() => streams.count === 1)
    await clients.disable('api', byOperator)
    assert.equal(streams.count, 0)
    reader.resume()
    assert.equal(await reader.untilEnd(), 'cut')
  })

  it('createRevocationStreams opens no stream after close()', async () => {
    await streams.open(proven, undefined)
    streams.close()
    assert.equal(await streams.open(proven, undefined), 'full')
    assert.equal(streams.count, 0)
  })
})
