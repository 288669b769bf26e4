import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import pg from 'pg'
import { instanceCount } from '../../packages/server/test-support/in-turns.ts'
import {
  describeOnBoth,
  key,
  password,
  startKeystile,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import {
  countBackends,
  createTestDatabase,
  howToGetPostgres,
  isWaiting,
  startPostgres,
} from '../../packages/server/test-support/postgres.ts'
import { until } from '../../tools/until.ts'
import { startSqlProxy } from '../faults/sql-proxy.ts'

const skip =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
    ? false
    : `no PostgreSQL: ${howToGetPostgres}`
/** Why outages are not tested with several Keystiles in turns. */
const skipAway =
  instanceCount > 1 && 'each call would wait for events that no Keystile can read now'

describe('Keystile while PostgreSQL is down', { skip: skip || skipAway }, () => {
  it('while PostgreSQL is down, endpoints return 503 with Retry-After, never 401', async (t) => {
    const postgres = await startPostgres({ durable: true })
    assert.ok(postgres, howToGetPostgres)
    const pool = new pg.Pool({ connectionString: postgres.url, connectionTimeoutMillis: 1_000 })
    const { keystile, accessToken, send, login, register } = await startKeystile({
      database: pool,
      key,
    })
    t.after(async () => {
      await keystile.close()
      await pool.end()
    })
    const bearer = await accessToken()
    await postgres.stop()
    const answers = [
      await login(),
      await register({ username: 'other', email: 'other@example.com' }),
      // Answers 200 if the user is in memory; otherwise 503.
      await send('GET', '/users/me', { bearer }).then((answer) =>
        answer.status === 200 ? undefined : answer,
      ),
    ]
    for (const answer of answers) {
      if (!answer) continue
      assert.equal(answer.status, 503, answer.text)
      assert.equal(answer.headers.get('retry-after'), '1')
      assert.doesNotMatch(answer.text, /ECONN|postgres|pg_|select|127\.0\.0\.1/i)
      assert.ok(!answer.text.includes(password))
    }
    assert.equal((await send('GET', '/.well-known/jwks.json')).status, 200)
  })

  it('while PostgreSQL is down, a browser gets a page for a link and a form, an API JSON', async (t) => {
    const postgres = await startPostgres({ durable: true })
    assert.ok(postgres, howToGetPostgres)
    const pool = new pg.Pool({ connectionString: postgres.url, connectionTimeoutMillis: 1_000 })
    const { keystile, send } = await startKeystile({ database: pool, key, mailUrl: 'console:' })
    t.after(async () => {
      await keystile.close()
      await pool.end()
    })
    await postgres.stop()
    for (const [method, path, form] of [
      ['GET', '/account/reset-password?token=t', undefined],
      ['POST', '/account/forgot-password', { login: 'ada' }],
    ] as const)
      for (const [accept, type] of [
        ['text/html,*/*;q=0.8', 'text/html; charset=utf-8'],
        ['*/*', 'application/problem+json'],
      ] as const) {
        const headers = { accept, 'accept-language': 'de', origin: 'http://localhost:3000' }
        const answer = await send(method, path, { headers, ...(form && { form }) })
        assert.equal(answer.status, 503, answer.text)
        assert.equal(answer.headers.get('retry-after'), '1')
        assert.equal(answer.headers.get('content-type'), type)
        assert.equal(answer.text.includes('<h1>Das geht im Moment nicht</h1>'), accept !== '*/*')
      }
  })
})

describe('Keystile while another connection keeps a row locked', { skip }, () => {
  it('a request that waits for a locked row gets 503, and its query is cancelled', async () => {
    const database = await createTestDatabase()
    assert.ok(database, howToGetPostgres)
    const { keystile, accessToken, send } = await startKeystile({ database: database.url, key })
    const locker = new pg.Client({ connectionString: database.url })
    try {
      const bearer = await accessToken()
      const logOut = (): Promise<Answer> => send('DELETE', '/users/me/sessions', { bearer })
      await locker.connect()
      await locker.query('begin; select id from keystile.session for update')
      const { status, headers } = await logOut()
      assert.equal(status, 503)
      assert.equal(headers.get('retry-after'), '1')
      await until(async () => (await countBackends(database.url, 'waiting')) === 0)

      const cancelled = logOut()
      await isWaiting(database.url)
      await locker.query(
        `select pg_cancel_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
      )
      assert.equal((await cancelled).status, 503)
      await locker.query('commit')
      assert.equal((await logOut()).status, 204)
    } finally {
      await locker.end()
      await keystile.close()
      await database.drop()
    }
  })
})

describe('Keystile with PostgreSQL connections that break', { skip: skip || skipAway }, () => {
  it('logins succeed after PostgreSQL has closed connections in use', async (t) => {
    const database = await createTestDatabase()
    assert.ok(database, howToGetPostgres)
    const { keystile, accessToken, login } = await startKeystile({ database: database.url, key })
    const killer = new pg.Client({ connectionString: database.url })
    t.after(async () => {
      await killer.end()
      await keystile.close()
      await database.drop()
    })
    await accessToken()
    await killer.connect()
    const end = `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'keystile' and datname = current_database()`
    for (let round = 0; round < 5; round++) {
      const logins = Array.from({ length: 8 }, () => login())
      await killer.query(end)
      for (const { status, headers } of await Promise.all(logins)) {
        assert.ok(status === 200 || status === 503, String(status))
        if (status === 503) assert.equal(headers.get('retry-after'), '1')
      }
    }
    assert.equal((await login()).status, 200)
  })

  it('while PostgreSQL does not answer, requests get 503, and later succeed again', async (t) => {
    const database = await createTestDatabase()
    assert.ok(database, howToGetPostgres)
    const proxy = await startSqlProxy(database.url)
    let logged = 0
    const logger = { ...silentLogger, error: () => void logged++ }
    const started = await startKeystile({ database: proxy.url, key, logger })
    const { keystile, accessToken, send, login } = started
    t.after(async () => {
      await keystile.close()
      await database.drop()
    })
    const bearer = await accessToken()

    proxy.silence()
    const first = await login()
    assert.equal(first.status, 503)
    assert.equal(first.headers.get('retry-after'), '1')
    const { accepted } = proxy
    for (let n = 0; n < 50; n++) assert.equal((await login()).status, 503)
    assert.ok(proxy.accepted < accepted + 50, 'each login must not open a connection')
    assert.ok(logged > 0 && logged < 50, `the log must not get an error for each login: ${logged}`)
    // When the revocations are stale, no user in memory may be used.
    await until(async () => (await send('GET', '/users/me', { bearer })).status === 503)

    // The connections from before stay dead.
    proxy.resume()
    await until(async () => (await login()).status === 200)
    assert.equal((await send('GET', '/users/me', { bearer })).status, 200)
  })
})

describeOnBoth('a backlog of unnumbered events', (stage) => {
  it('users.disable and createKeystile wait until all events have been read', async () => {
    const started = await stage.start()
    const bearer = await started.accessToken()
    const { json } = await started.send('GET', '/users/me', { bearer })
    const later = Date.now() + 600_000
    const rows = (from: number): string =>
      Array.from(
        { length: 500 },
        (_, i) => `('${from + i}', null, 'session', 'x${from + i}', 1, ${later})`,
      ).join()
    for (let from = 0; from < 1_500; from += 500) {
      await stage.sql(
        `insert into event (id, seq, kind, value, created_at, expires_at) values ${rows(from)}`,
      )
    }
    await started.disable(json['id'])
    await assert.rejects(started.keystile.verifier.verify(bearer), { code: 'invalid_token' })
    const [row] = await stage.sql('select count(*) as numbered from event where seq is not null')
    // The change itself has two events: of the session that ended, and of the user.
    assert.equal(Number(row!['numbered']), 1_502)
    const fresh = await stage.start()
    await assert.rejects(fresh.keystile.verifier.verify(bearer), { code: 'invalid_token' })
  })
})
