import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { PostgresPool } from 'kysely'
import pg from 'pg'
import {
  done,
  failed,
  notice,
  refusal,
  startScriptedPostgres,
  welcome,
  type ScriptedPostgres,
} from '../../test-support/scripted-postgres.ts'
import { connectPostgres } from './postgres-pool.ts'

type Connected = Awaited<ReturnType<typeof connectPostgres>>
type Connection = Awaited<ReturnType<PostgresPool['connect']>>

/** Connects to a scripted server, by a pool of an app. */
async function start(
  t: TestContext,
  max: number,
): Promise<Connected & { readonly server: ScriptedPostgres; readonly apps: pg.Pool }> {
  const server = await startScriptedPostgres()
  t.after(() => server.close())
  const apps = new pg.Pool({ connectionString: server.url, max })
  return { ...(await connectPostgres(apps)), server, apps }
}

/** Connects to a scripted server by its URL. */
async function startOwn(
  t: TestContext,
): Promise<Connected & { readonly server: ScriptedPostgres }> {
  const server = await startScriptedPostgres()
  t.after(() => server.close())
  return { ...(await connectPostgres(server.url)), server }
}

const send = (connection: Connection, text: string): Promise<unknown> => connection.query(text, [])
/** Sends a statement on a connection from the pool. */
async function sendOnce(pool: PostgresPool, text: string): Promise<void> {
  const connection = await pool.connect()
  await send(connection, text).finally(() => connection.release())
}
const hasFailure = (failure: string) => (error: object) => Reflect.get(error, 'failure') === failure
const isBroken = { failure: 'lost', message: 'the connection to PostgreSQL is broken' }
const isUnknown = { name: 'UnknownOutcomeError' }
/** Lets five seconds pass for the timeouts of statements. */
const passTimeout = (t: TestContext): void => t.mock.timers.tick(5_000)

describe('the connections of connectPostgres', () => {
  it('requestPool leaves one connection for queries that use `pool` directly', async (t) => {
    const { pool, requestPool } = await start(t, 3)
    const [first] = await Promise.all([requestPool.connect(), requestPool.connect()])
    let isServed = false
    const third = requestPool.connect().then(() => (isServed = true))
    await pool.connect()
    assert.equal(isServed, false)
    first.release()
    await third
  })

  it('requestPool works with a pool of one connection', async (t) => {
    const { requestPool, server } = await start(t, 1)
    await sendOnce(requestPool, 'a')
    assert.deepEqual(server.heard, ['1 opens', '1: a'])
  })

  it('a refused connection does not use up a place of requestPool', async (t) => {
    const { requestPool, server } = await start(t, 1)
    server.greet = () => refusal('28P01')
    await assert.rejects(requestPool.connect(), hasFailure('refused'))
    server.greet = welcome
    await sendOnce(requestPool, 'a')
  })

  it('the error of an idle connection does not end the process', async (t) => {
    const { apps } = await start(t, 1)
    assert.ok(apps.emit('error', new Error('an idle connection breaks')))
  })

  it('close() ends the pool of a URL, and not the pool of an app', async (t) => {
    const { pool, close, apps } = await start(t, 1)
    await sendOnce(pool, 'a')
    await close()
    await apps.query('b')

    const own = await startOwn(t)
    await sendOnce(own.pool, 'a')
    await own.close()
    await own.server.hears('1 ends')
  })

  it('release(true) closes a connection, and release() keeps it in the pool', async (t) => {
    const { pool, server } = await start(t, 1)
    for (const mustClose of [false, true, undefined, undefined]) {
      const connection = await pool.connect()
      connection.release(mustClose)
    }
    await sendOnce(pool, 'a')
    await server.hears('1 ends')
    assert.ok(server.heard.includes('2: a'))
  })
})

describe('a connection that breaks', () => {
  it('if a reused connection breaks, another connection sends the statement again', async (t) => {
    const { requestPool, server } = await start(t, 1)
    await sendOnce(requestPool, 'a')
    server.reply = (_, number) => (number === 1 ? server.lose(1) : done())
    await sendOnce(requestPool, 'b')
    assert.deepEqual(server.heard, ['1 opens', '1: a', '1: b', '2 opens', '2: b'])
    await sendOnce(requestPool, 'c') // the place of the lost connection is free
  })

  it('a statement is not repeated if the lost connection was new or in use', async (t) => {
    const { pool, server } = await start(t, 2)
    server.reply = (text, number) => (text === 'lost' ? server.lose(number) : done())
    await assert.rejects(sendOnce(pool, 'lost'), hasFailure('lost'))
    await sendOnce(pool, 'a')
    const connection = await pool.connect()
    await send(connection, 'b')
    await assert.rejects(send(connection, 'lost'), hasFailure('lost'))
    const count = server.heard.filter((text) => text.endsWith(': lost')).length
    assert.equal(count, 2)
  })

  it('a connection that the app’s pool opened earlier counts as used', async (t) => {
    const server = await startScriptedPostgres()
    t.after(() => server.close())
    const apps = new pg.Pool({ connectionString: server.url, max: 1 })
    await apps.query('a')
    const { pool } = await connectPostgres(apps)
    server.reply = (_, number) => (number === 1 ? server.lose(1) : done())
    await sendOnce(pool, 'b')
    assert.equal(server.heard.at(-1), '2: b')
  })

  it('if no connection can replace a lost one, the caller gets an error each time', async (t) => {
    const { requestPool, server } = await start(t, 1)
    await sendOnce(requestPool, 'a')
    const connection = await requestPool.connect()
    server.reply = () => server.lose(1)
    server.greet = () => refusal('53300')
    await assert.rejects(send(connection, 'b'), hasFailure('refused'))
    await assert.rejects(send(connection, 'c'), isBroken)
    connection.release()
    server.greet = welcome
    server.reply = () => done()
    await sendOnce(requestPool, 'd') // the place is free
    assert.equal(server.heard.at(-1), '3: d')
  })

  it('a broken connection gets no statement, and the pool never hands it out', async (t) => {
    const { pool, server, apps } = await start(t, 1)
    const clients: pg.PoolClient[] = []
    apps.on('connect', (client) => clients.push(client))
    const connection = await pool.connect()
    clients[0]?.emit('error', new Error('the connection breaks'))
    await assert.rejects(send(connection, 'a'), isBroken)
    connection.release()

    // The next connection breaks while the pool hands it out.
    apps.once('acquire', (client) => void client.emit('error', new Error('it breaks')))
    await sendOnce(pool, 'b')
    assert.deepEqual(
      server.heard.filter((text) => text.includes(':')),
      ['3: b'],
    )
  })

  it('after a connection is lost, older connections are not used again', async (t) => {
    const { pool, server } = await start(t, 3)
    const [lost, inUse, idle] = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    await send(idle, 'a')
    idle.release()
    server.reply = (text, number) => (text === 'lost' ? server.lose(number) : done())
    await assert.rejects(send(lost, 'lost'), hasFailure('lost'))
    lost.release()
    await sendOnce(pool, 'b')
    await server.hears('3 ends')
    assert.ok(server.heard.includes('4: b'))

    // A second loss of the same age does not concern the new connection.
    await assert.rejects(send(inUse, 'lost'), hasFailure('lost'))
    inUse.release()
    await sendOnce(pool, 'c')
    assert.equal(server.heard.at(-1), '4: c')
  })

  it('after an error of a statement, the connection is used again', async (t) => {
    const { requestPool, server } = await start(t, 1)
    server.reply = (text) => (text === 'wrong' ? failed('23505') : done())
    await sendOnce(requestPool, 'a')
    for (let n = 0; n < 2; n++)
      await assert.rejects(sendOnce(requestPool, 'wrong'), { code: '23505' })
    const connection = await requestPool.connect()
    await assert.rejects(send(connection, 'wrong'), { code: '23505' })
    await send(connection, 'b')
    assert.deepEqual(server.heard.slice(1), ['1: a', ...Array(3).fill('1: wrong'), '1: b'])
  })
})

describe('a statement without a reply', () => {
  it('a statement without a reply fails after 5 s, and PostgreSQL cancels it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { pool, server } = await start(t, 2)
    const [connection, other] = await Promise.all([pool.connect(), pool.connect()])
    other.release()
    server.reply = () => undefined
    const failing = assert.rejects(send(connection, 'slow'), hasFailure('timeout'))
    await server.hears('1: slow')
    passTimeout(t)
    await failing
    await server.hears('1 is cancelled')
    await assert.rejects(send(connection, 'next'), isBroken)
    connection.release()
    await server.hears('1 ends')

    // Other connections are still used, and refused statements are not cancelled.
    server.reply = () => failed('53100')
    await assert.rejects(sendOnce(pool, 'refused'), hasFailure('refused'))
    t.mock.timers.reset()
    await delay(20)
    assert.ok(server.heard.includes('2: refused'))
    assert.equal(server.heard.filter((text) => text.endsWith('cancelled')).length, 1)
  })

  it('the statements and the COMMIT of migrations have no timeout', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { migrationPool, server } = await start(t, 1)
    const connection = await migrationPool.connect()
    for (const text of ['alter', 'commit']) {
      server.reply = () => undefined
      const sent = send(connection, text)
      await server.hears(`1: ${text}`)
      t.mock.timers.tick(60_000)
      server.send(1, done())
      await sent
    }
  })
})

describe('a COMMIT of connectPostgres', () => {
  it('a COMMIT fails if PostgreSQL sends a notice about its standby meanwhile', async (t) => {
    const { pool, server } = await start(t, 1)
    const reply = Buffer.concat([notice('SyncRepWaitForLSN'), done()])
    server.reply = () => reply
    const connection = await pool.connect()
    await send(connection, 'a')
    server.reply = () => done()
    await send(connection, 'commit')
    server.reply = () => reply
    await assert.rejects(send(connection, 'commit'), isUnknown)
  })

  it('a COMMIT that PostgreSQL refuses is a conflict', async (t) => {
    const { pool, server } = await start(t, 1)
    server.reply = () => failed('40001')
    await assert.rejects(sendOnce(pool, 'commit'), hasFailure('conflict'))
  })

  it('after a COMMIT, no timer keeps the process alive', async (t) => {
    const { pool } = await start(t, 1)
    const connection = await pool.connect()
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    await send(connection, 'commit')
    assert.equal(timers(), before)
  })

  it('a COMMIT without a reply fails after 5 s, and PostgreSQL does not cancel it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { pool, server } = await start(t, 1)
    const connection = await pool.connect()
    server.reply = () => undefined
    const failing = assert.rejects(send(connection, 'commit'), (error: Error) => {
      assert.equal(error.name, isUnknown.name)
      return hasFailure('timeout')(error.cause as object)
    })
    await server.hears('1: commit')
    passTimeout(t)
    await failing
    connection.release() // closes a connection of the app's pool at once
    await server.hears('1 ends')
    assert.deepEqual(server.heard, ['1 opens', '1: commit', '1 ends'])
  })

  /** Sends a COMMIT by a pool of a URL, lets its timeout pass, and releases the connection. */
  async function commitLate(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const own = await startOwn(t)
    const connection = await own.requestPool.connect()
    own.server.reply = () => undefined
    const failing = assert.rejects(send(connection, 'commit'), isUnknown)
    await own.server.hears('1: commit')
    passTimeout(t)
    await failing
    connection.release()
    t.mock.timers.reset()
    await delay(20)
    assert.deepEqual(own.server.heard, ['1 opens', '1: commit'])
    return own
  }

  for (const [kind, reply] of [
    ['reply', done()],
    ['error', failed('40001')],
  ] as const)
    it(`a pool keeps a connection until the late ${kind} of its COMMIT arrives`, async (t) => {
      const { server, close } = await commitLate(t)
      server.send(1, reply)
      await server.hears('1 ends')
      await close()
    })

  it('close() does not wait for the late reply of a COMMIT', async (t) => {
    const { server, close } = await commitLate(t)
    const closing = close()
    await server.hears('1 ends')
    server.send(1, done())
    await closing
  })

  it('an outage ends the connections whose COMMIT has no reply', async (t) => {
    const { pool, server, close } = await commitLate(t)
    server.greet = (number) => (number === 2 ? welcome(2) : undefined)
    const connection = await pool.connect()
    await assert.rejects(send(connection, 'a'), hasFailure('outage'))
    await server.hears('1 ends')
    connection.release()
    // After close(), no probe looks for the end of the outage.
    await close()
    const { length } = server.heard.filter((text) => text.endsWith('opens'))
    await delay(700)
    assert.equal(server.heard.filter((text) => text.endsWith('opens')).length, length)
  })
})

describe('an outage of PostgreSQL', () => {
  it('during an outage, waiting requests fail, and no migration does', async (t) => {
    const { pool, migrationPool, server } = await start(t, 4)
    const [asking, idle, migration] = await Promise.all([
      pool.connect(),
      pool.connect(),
      migrationPool.connect(),
    ])
    server.reply = () => undefined
    server.greet = () => undefined
    const migrated = send(migration, 'alter')
    const opening = assert.rejects(pool.connect(), hasFailure('outage'))
    await server.hears('4 opens')
    idle.release()
    await assert.rejects(send(asking, 'a'), hasFailure('outage'))
    await opening
    server.send(3, done())
    await migrated

    // The connection that opens too late is closed, and so is the one that was idle.
    server.send(4, welcome(4))
    await server.hears('4 ends')
    server.greet = welcome
    server.reply = () => done()
    for (;;) {
      const sent = await sendOnce(pool, 'b').then(
        () => true,
        () => false,
      )
      if (sent) break
    }
    assert.ok(server.heard.includes('2 ends'))
    assert.ok(!server.heard.includes('2: b'))
  })
})
