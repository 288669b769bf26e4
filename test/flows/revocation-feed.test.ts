// GET /revocations: a verifier in another process learns of every revocation, and only clients
// with the permission may read them.
import assert from 'node:assert/strict'
import { afterEach, it } from 'node:test'
import { skipOfOneProcess } from '../../packages/server/test-support/in-turns.ts'
import {
  describeOnOne,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import {
  openReader,
  serveOnSocket,
  type Reader,
  type ServerEvent,
} from '../../packages/server/test-support/revocation-reader.ts'
import { byOperator } from '../../packages/server/test-support/whole-server.ts'
import { until } from '../../tools/until.ts'

const closing: (() => unknown)[] = []

/** A Keystile that answers on a socket, and a client that may read its revocations. */
async function serve(stage: Stage, id = 'orders') {
  const test = await stage.start()
  const served = await serveOnSocket(test.keystile)
  closing.push(() => served.close())
  const credentials = await test.addClient({ id, grants: [], may: ['revocations'] })
  const url = `http://127.0.0.1:${served.port}/auth/revocations`
  return {
    ...test,
    url,
    credentials,
    async read(options: Parameters<typeof openReader>[2] = {}, as = credentials): Promise<Reader> {
      const reader = await openReader(url, as, options)
      closing.push(() => reader.close())
      return reader
    },
  }
}

/** Ends all sessions of a new login. @returns the id of the session */
async function endSession({ keystile, tokens }: TestKeystile, name: string): Promise<string> {
  const { subject, sessionId } = await tokens(name)
  await keystile.sessions.revokeAll(subject)
  return sessionId
}

/** Opens many streams, fifty at a time. */
async function readMany(read: () => Promise<Reader>, count: number): Promise<readonly Reader[]> {
  const readers: Reader[] = []
  while (readers.length < count)
    readers.push(...(await Promise.all(Array.from({ length: 50 }, () => read()))))
  assert.ok(readers.every(({ status }) => status === 200))
  return readers
}

/** Asserts that there are too many readers. */
async function assertRefused(reader: Reader, description: RegExp): Promise<void> {
  assert.deepEqual([reader.status, reader.headers['retry-after']], [503, '10'])
  assert.match(JSON.parse(await reader.text()).error_description, description)
}

const valuesOf = (events: readonly ServerEvent[]): readonly unknown[] =>
  events.map(({ data }) => data['value'])

describeOnOne('PostgreSQL', 'the feed of revocations', (stage) => {
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  it('GET /revocations sends a snapshot, then each revocation, and a heartbeat', async () => {
    const server = await serve(stage)
    const first = await endSession(server, 'ada')
    const reader = await server.read()
    assert.equal(reader.status, 200)
    assert.equal(reader.headers['content-type'], 'text/event-stream; charset=utf-8')
    assert.equal(reader.headers['cache-control'], 'no-store, no-transform')
    assert.equal(reader.headers['x-accel-buffering'], 'no')

    const [reset, known, ...others] = await reader.untilCurrent()
    assert.deepEqual(reset, { event: 'reset', id: undefined, data: {} })
    assert.deepEqual(others, [])
    assert.match(known?.id ?? '', /^1\.[\da-f-]{36}$/)
    assert.deepEqual([known?.event, known?.data['kind']], ['revocation', 'session'])
    assert.equal(known?.data['value'], first)
    assert.ok(known?.data['expires_at'] > Date.now())

    const second = await endSession(server, 'bob')
    assert.equal((await reader.nextChange()).data['value'], second)
    assert.deepEqual(await reader.untilCurrent(), [])
  })

  it('GET /revocations of one process sends the revocations of another process', async () => {
    const server = await serve(stage)
    const other = await stage.start()
    const reader = await server.read()
    await reader.untilCurrent()
    const ended = await endSession(other, 'ada')
    assert.equal((await reader.nextChange()).data['value'], ended)
  })

  it('GET /revocations continues after Last-Event-ID, even in another process', async () => {
    const server = await serve(stage)
    const ended: string[] = []
    for (const name of ['ada', 'bob', 'eve']) ended.push(await endSession(server, name))
    const [, first, , third] = await (await server.read()).untilCurrent()
    const other = await serve(stage, 'billing')
    for (const { read } of [server, other]) {
      const resumed = await read({ lastEventId: first?.id })
      assert.deepEqual(valuesOf(await resumed.untilCurrent()), ended.slice(1))
      const atEnd = await read({ lastEventId: third?.id })
      assert.deepEqual(await atEnd.untilCurrent(), [])
    }
  })

  it('/revocations accepts a Last-Event-ID whose event this process has not read yet', async () => {
    const server = await serve(stage)
    const other = await serve(stage, 'billing')
    // The other process has not read this event when the request arrives.
    await endSession(server, 'ada')
    const [, event] = await (await server.read()).untilCurrent()
    assert.deepEqual(await (await other.read({ lastEventId: event?.id })).untilCurrent(), [])
  })

  it('GET /revocations sends all events for an unknown or malformed Last-Event-ID', async () => {
    const server = await serve(stage)
    const ended = await endSession(server, 'ada')
    const [, event] = await (await server.read()).untilCurrent()
    const id = event?.id ?? ''
    for (const lastEventId of [
      '',
      '1',
      'x',
      `2.${id.slice(2)}`,
      `${id.slice(0, -1)}_`,
      `${id}0`,
      '0.0',
      `01.${id.slice(2)}`,
      `999999999999999.${id.slice(2)}`,
      `${'9'.repeat(400)}.a`,
      '1.a","b',
      '-1.a',
    ]) {
      const [reset, ...events] = await (await server.read({ lastEventId })).untilCurrent()
      assert.equal(reset?.event, 'reset', lastEventId)
      assert.deepEqual(valuesOf(events), [ended], lastEventId)
    }
  })

  it('if events are lost, each /revocations stream ends; new streams send all events', async () => {
    const server = await serve(stage)
    const kept = await endSession(server, 'ada')
    await endSession(server, 'bob')
    const reader = await server.read()
    const [, , lost] = await reader.untilCurrent()
    await stage.sql('delete from event where seq > 1')
    await stage.sql('update feed set seq = 1')
    assert.equal(await reader.untilEnd(), 'complete')

    const added = await endSession(server, 'eve')
    const again = await (await server.read({ lastEventId: lost?.id })).untilCurrent()
    assert.deepEqual(valuesOf(again), [undefined, kept, added])
  })

  it('GET /revocations does not send events about changed user records', async () => {
    const server = await serve(stage)
    await stage.sql(
      "insert into event (id, seq, kind, value, created_at, expires_at) values ('u1', null, 'user', " +
        `'ada', ${Date.now()}, ${Date.now() + 60_000})`,
    )
    const ended = await endSession(server, 'bob')
    assert.deepEqual(valuesOf(await (await server.read()).untilCurrent()), [undefined, ended])
  })

  it('/revocations needs a confidential client with the permission `revocations`', async () => {
    const { read, url, addClient, credentials } = await serve(stage)
    const plain = await addClient({ id: 'plain', may: ['introspect'] })
    const open = await addClient({ id: 'spa', confidential: false, grants: ['password'] })
    const wrong = { ...credentials, client_secret: 'x' }
    for (const [as, status, error] of [
      [undefined, 401, 'invalid_client'],
      [wrong, 401, 'invalid_client'],
      [{ client_id: 'nobody', client_secret: 'x' }, 401, 'invalid_client'],
      [open, 401, 'invalid_client'],
      [plain, 403, 'unauthorized_client'],
    ] as const) {
      const reader = as ? await read({}, as) : await openReader(url, undefined)
      assert.equal(reader.status, status)
      assert.equal(JSON.parse(await reader.text()).error, error)
      const challenge = reader.headers['www-authenticate'] ?? ''
      assert.equal(challenge.startsWith('Basic '), status === 401)
    }
  })

  it('the /revocations streams of a client end when the client is disabled', async () => {
    const server = await serve(stage)
    const other = await stage.start()
    const reader = await server.read()
    await reader.untilCurrent()
    await other.clients.disable('orders', byOperator)
    assert.equal(await reader.untilEnd(), 'complete')
    assert.equal((await server.read()).status, 401)
  })

  it('a client’s /revocations streams end when its secret or permission is changed', async () => {
    const server = await serve(stage)
    const reader = await server.read()
    await reader.untilCurrent()
    const client_secret = (await server.clients.rotateSecret('orders', byOperator)) ?? ''
    assert.equal(await reader.untilEnd(), 'complete')

    const again = await server.read({}, { client_id: 'orders', client_secret })
    await again.untilCurrent()
    await stage.sql(`update client set may = '["introspect"]' where id = 'orders'`)
    assert.equal(await again.untilEnd(), 'complete')
  })

  it('GET /revocations returns 503 while the process cannot read its database', async () => {
    const { read, keystile, accessToken } = await serve(stage)
    const reader = await read()
    const bearer = await accessToken()
    await stage.sql('alter table event rename to gone')
    const isStale = (): Promise<boolean> =>
      keystile.verifier.verify(bearer).then(
        () => false,
        () => true,
      )
    await until(isStale)
    const refused = await read()
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1'])
    assert.equal(JSON.parse(await refused.text()).error, 'temporarily_unavailable')
    // A reader that is connected keeps its connection: it knows that it hears nothing.
    await stage.sql('alter table gone rename to event')
    for (let beat = 0; beat < 5; beat++) await reader.untilCurrent()
  })

  it(
    'the 101st reader of one client gets 503 from /revocations, but other clients do not',
    { skip: skipOfOneProcess },
    async () => {
      const { read, addClient } = await serve(stage)
      await readMany(read, 100)
      await assertRefused(await read(), /^This client has/)
      const other = await addClient({ id: 'other', grants: [], may: ['revocations'] })
      assert.equal((await read({}, other)).status, 200)
    },
  )

  const skipMany = process.env['KEYSTILE_LONG'] ? skipOfOneProcess : 'KEYSTILE_LONG=1 runs it'
  it('reader 1,001 of /revocations gets 503 with Retry-After', { skip: skipMany }, async () => {
    const { read, addClient } = await serve(stage)
    const readers: Reader[] = []
    for (let n = 0; n < 10; n++) {
      const client = await addClient({ id: `api-${n}`, grants: [], may: ['revocations'] })
      readers.push(...(await readMany(() => read({}, client), 100)))
    }
    await assertRefused(await read(), /^This server can/)
    for (const reader of readers) assert.equal((await reader.next()).event, 'reset')
  })

  it('HEAD /revocations opens no stream', async () => {
    const { read } = await serve(stage)
    const reader = await read({ method: 'HEAD' })
    assert.equal(reader.status, 200)
    assert.equal(await reader.untilEnd(), 'complete')
  })

  it('a stream of /revocations ends when Keystile closes', async () => {
    const { read, keystile } = await serve(stage)
    const reader = await read()
    await reader.untilCurrent()
    await keystile.close()
    assert.equal(await reader.untilEnd(), 'complete')
  })
})
