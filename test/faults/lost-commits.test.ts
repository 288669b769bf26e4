// PostgreSQL gets a COMMIT, but Keystile gets no reply, or a reply that does not say that the commit
// is safe. The request is answered with 503. A client that repeats it is served correctly, whether
// or not the transaction had happened.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import pg from 'pg'
import {
  describeOnBoth,
  key,
  startKeystile,
  type Answer,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import {
  howToGetPostgres,
  startPostgres,
  type TestPostgres,
} from '../../packages/server/test-support/postgres.ts'
import { until } from '../../tools/until.ts'
import { judge } from './feed-process.ts'
import { startSqlProxy, type SqlProxy } from './sql-proxy.ts'

interface Log {
  /** The errors that were logged. */
  readonly errors: string[]
}

function collectErrors(): { readonly log: Log; readonly logger: typeof silentLogger } {
  const errors: string[] = []
  const logger = {
    ...silentLogger,
    error: (fields: object) => void errors.push(String(Reflect.get(fields, 'err'))),
  }
  return { log: { errors }, logger }
}

describeOnBoth('a connection to PostgreSQL that is lost', (stage) => {
  if (stage.kind === 'SQLite') return // there is no connection

  async function start(): Promise<TestKeystile & { readonly proxy: SqlProxy; readonly log: Log }> {
    const { keystile } = await stage.start()
    await keystile.close()
    const proxy = await startSqlProxy(stage.database)
    const { log, logger } = collectErrors()
    const started = await stage.start({ database: proxy.url, logger })
    return { ...started, proxy, log }
  }

  const user = { username: 'eve', email: 'eve@example.com' }
  /** Each writes with the statement `marker`. `repeated` has the status of a repetition. */
  const flows: readonly {
    readonly name: string
    readonly marker: string
    prepare?(server: TestKeystile): Promise<string>
    send(server: TestKeystile, token: string): Promise<Answer>
    /** Waits until this process knows what was done. */
    settle?(server: TestKeystile, token: string): Promise<unknown>
    readonly repeated: { readonly done: number; readonly notDone: number }
    check?(server: TestKeystile, repeated: Answer): Promise<void>
  }[] = [
    {
      name: 'POST /users',
      marker: 'insert into "keystile"."user"',
      send: ({ register }) => register(user),
      repeated: { done: 409, notDone: 201 },
      async check({ login }) {
        assert.equal((await login({ username: 'eve' })).status, 200)
      },
    },
    {
      name: 'a login',
      marker: 'insert into "keystile"."session"',
      prepare: async ({ register }) => (await register(user)).text,
      send: ({ login }) => login({ username: 'eve' }),
      repeated: { done: 200, notDone: 200 },
    },
    {
      name: 'a refresh',
      marker: 'update "keystile"."refresh_token"',
      prepare: async ({ tokens }) => (await tokens('eve')).refreshToken,
      send: ({ refresh }, token) => refresh(token),
      repeated: { done: 200, notDone: 200 },
      async check({ refresh }, { json }) {
        assert.equal((await refresh(json['refresh_token'])).status, 200)
      },
    },
    {
      name: 'the end of all sessions',
      marker: 'insert into "keystile"."event"',
      prepare: async ({ tokens }) => (await tokens('eve')).accessToken,
      send: ({ send }, bearer) => send('DELETE', '/users/me/sessions', { bearer }),
      settle: ({ keystile }, token) =>
        until(async () => (await judge(keystile.verifier, token)) === 'revoked'),
      repeated: { done: 401, notDone: 204 },
    },
  ]

  for (const { name, marker, prepare, send, settle, repeated, check } of flows) {
    for (const isForwarded of [true, false]) {
      const when = isForwarded ? 'after PostgreSQL got' : 'before PostgreSQL gets'
      it(`${name} gets 503 if the connection is lost ${when} its COMMIT`, async () => {
        const server = await start()
        const token = (await prepare?.(server)) ?? ''
        const lost = server.proxy.loseOnce({ statement: 'commit\0', after: marker, isForwarded })
        const first = await send(server, token)
        assert.equal(first.status, 503, first.text)
        assert.equal(first.headers.get('retry-after'), '1')
        assert.deepEqual(server.log.errors.length, 1)
        assert.match(
          server.log.errors.join(),
          /^UnknownOutcomeError: .* did not confirm it(?:: .*)?$/,
        )
        await lost

        if (isForwarded) await settle?.(server, token)
        const second = await send(server, token)
        assert.equal(second.status, isForwarded ? repeated.done : repeated.notDone, second.text)
        await check?.(server, second)
      })
    }
  }

  for (const isForwarded of [true, false]) {
    it(`a login succeeds if the connection is lost ${isForwarded ? 'after' : 'before'} a SELECT or BEGIN arrives`, async () => {
      const server = await start()
      await server.accessToken('eve')
      for (const statement of ['begin isolation', 'from "keystile"."user"']) {
        const { accepted } = server.proxy
        const lost = server.proxy.loseOnce({ statement, isForwarded })
        assert.equal((await server.login({ username: 'eve' })).status, 200, statement)
        await lost
        assert.ok(server.proxy.accepted > accepted)
      }
      assert.deepEqual(server.log.errors, [])
    })
  }

  it('after a lost connection, a statement inside a transaction is not sent again', async () => {
    const server = await start()
    const lost = server.proxy.loseOnce({
      statement: 'insert into "keystile"."user"',
      isForwarded: true,
    })
    assert.equal((await server.register(user)).status, 503)
    await lost
    assert.equal((await server.register(user)).status, 201)
  })
})

const skip =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL'] ? false : howToGetPostgres

describe('a COMMIT that waits for a synchronous standby', { skip }, () => {
  let postgres: TestPostgres
  let operator: pg.Client
  before(async () => {
    const started = await startPostgres({ durable: true })
    assert.ok(started, howToGetPostgres)
    postgres = started
    operator = new pg.Client(`${postgres.url}?options=-c synchronous_commit=local`)
    await operator.connect()
  })
  after(async () => {
    await operator.end()
    await postgres.stop()
  })

  async function setStandby(name: string): Promise<void> {
    await operator.query(`alter system set synchronous_standby_names = '${name}'`)
    await operator.query('select pg_reload_conf()')
    for (;;) {
      const { rows } = await operator.query('show synchronous_standby_names')
      if (rows[0].synchronous_standby_names === name) return
    }
  }

  /**
   * Calls a function of PostgreSQL for the connections whose commit waits for the standby and has
   * written a user. Background jobs wait too.
   */
  async function endWaits(functionName: string): Promise<number> {
    const { rows } = await operator.query(
      `select ${functionName}(pid) from pg_stat_activity join pg_locks using (pid)
        where wait_event = 'SyncRep' and mode = 'RowExclusiveLock'
          and relation = 'keystile."user"'::regclass`,
    )
    return rows.length
  }

  for (const [functionName, says, logged] of [
    ['pg_cancel_backend', 'cancels the wait', /UnknownOutcomeError.* did not wait for its standby/],
    ['pg_terminate_backend', 'ends the connection', /UnknownOutcomeError.* did not confirm it/],
  ] as const) {
    it(`POST /users gets 503 if an operator ${says} while COMMIT awaits a standby`, async (t) => {
      const { log, logger } = collectErrors()
      const { keystile, register } = await startKeystile({ database: postgres.url, key, logger })
      t.after(() => keystile.close())
      const user = { username: functionName, email: `${functionName}@example.com` }
      try {
        await setStandby('nobody')
        const registered = register(user)
        while ((await endWaits(functionName)) === 0);
        const { status, headers } = await registered
        assert.equal(status, 503)
        assert.equal(headers.get('retry-after'), '1')
        assert.ok(
          log.errors.some((text) => logged.test(text)),
          log.errors.join(),
        )
      } finally {
        await setStandby('')
      }
      assert.equal((await register(user)).status, 409)
    })
  }

  it('writes that wait for a standby do not use up the connections of PostgreSQL', async (t) => {
    if (!process.env['KEYSTILE_LONG']) return t.skip('KEYSTILE_LONG=1 runs it')
    const { keystile, register } = await startKeystile({ database: postgres.url, key })
    t.after(() => keystile.close())
    const registerMany = (round: string): Promise<readonly Answer[]> =>
      Promise.all(
        Array.from({ length: 10 }, (_, n) => {
          const username = `${round}${n}`
          return register({ username, email: `${username}@example.com` })
        }),
      )
    try {
      await setStandby('nobody')
      for (const round of ['first', 'second', 'third'])
        for (const { status } of await registerMany(round)) assert.equal(status, 503)
      const waiting = "select 1 from pg_stat_activity where wait_event = 'SyncRep'"
      const { rows } = await operator.query(waiting)
      // A process has 21 connections for requests and the feed, and 30 requests have written.
      assert.ok(rows.length <= 21, `${rows.length} connections wait for the standby`)
    } finally {
      await setStandby('')
    }
    await until(
      async () => (await register({ username: 'last', email: 'l@example.com' })).status !== 503,
    )
  })
})
