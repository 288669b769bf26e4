// Three servers on one PostgreSQL behind HAProxy, which sends each request to the next server. They
// reach the database directly, or through PgBouncer in transaction mode.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { password, tokensOf, type Answer } from '../../packages/server/test-support/keystile.ts'
import {
  createTestDatabase,
  howToGetPostgres,
  type TestDatabase,
} from '../../packages/server/test-support/postgres.ts'
import { openingOf, refreshOf, send, type Session } from './cluster/clients.ts'
import { openPrograms, waitUntil, whyNoPrograms, type Programs } from './cluster/programs.ts'
import { startHttpProxy, startPgBouncer, type RunningPgBouncer } from './cluster/proxies.ts'
import { startServers } from './cluster/servers.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const storms = 500
const stormSize = 10
const revocations = 200
const reason = isLong ? whyNot() : undefined
const skip = isLong ? (reason ?? false) : 'KEYSTILE_LONG=1 runs it'
if (reason) console.error(`\n*** No servers behind HAProxy are tested: ${reason}. ***\n`)
if (reason && process.env['CI'] === 'true') throw new Error(`${reason}, and CI=true`)

function whyNot(): string | undefined {
  if (!process.env['KEYSTILE_TEST_DATABASE_URL']) return howToGetPostgres
  return whyNoPrograms({ haproxy: 'haproxy', pgbouncer: 'pgbouncer' })
}

const root = join(import.meta.dirname, '../..')
const timeout = 3_600_000

for (const way of ['directly', 'through PgBouncer'] as const)
  describe(`three servers that reach PostgreSQL ${way}`, { skip, timeout }, () => {
    let programs: Programs
    let database: TestDatabase
    /** The servers, and the proxy in front of them. */
    let urls: readonly string[]
    let proxy: string
    /** The database, as the servers reach it. */
    let serverUrl: string
    let pooler: RunningPgBouncer | undefined

    before(async () => {
      programs = openPrograms()
      database = (await createTestDatabase()) ?? assert.fail(howToGetPostgres)
      const url = new URL(database.url)
      if (way === 'through PgBouncer') {
        pooler = await startPgBouncer(programs, { port: Number(url.port), user: 'postgres' })
        url.port = String(pooler.port)
      }
      serverUrl = url.href
      urls = (await startServers(programs, { name: 'servers', database: serverUrl })).urls
      const ports = urls.map((server) => Number(new URL(server).port))
      proxy = `http://127.0.0.1:${await startHttpProxy(programs, ports)}`
    })
    after(async () => {
      await programs.stop()
      await database.drop()
    })

    /** Registers a user through the proxy, and logs in. */
    async function logIn(username = `u${randomUUID()}`): Promise<Session> {
      const json = { username, email: `${username}@example.com`, password }
      const registered = await ask(proxy, { method: 'POST', path: '/users', json })
      assert.ok(registered.status === 201 || registered.status === 409, registered.text)
      const form = { username, password }
      const {
        status,
        json: body,
        text,
      } = await ask(proxy, { method: 'POST', path: '/token', form })
      assert.equal(status, 200, text)
      return { username, tokens: tokensOf(body) }
    }

    it('three more servers can start together while other servers answer requests', async () => {
      const session = await logIn()
      const stopping = new AbortController()
      const asking = (async (): Promise<void> => {
        while (!stopping.signal.aborted)
          assert.equal((await ask(proxy, openingOf(session))).status, 200)
      })()
      const started = await Promise.allSettled(
        ['more', 'even more', 'still more'].map((name) =>
          startServers(programs, { name, database: serverUrl, count: 1 }),
        ),
      )
      stopping.abort()
      await asking
      for (const one of started) assert.equal(one.status, 'fulfilled', String(Object.values(one)))
      for (const one of started)
        if (one.status === 'fulfilled') for (const server of one.value.servers) await server.stop()
      // A lock that is left on a connection of PgBouncer would stop the next start.
      assert.equal(await countAdvisoryLocks(database.url), 0)
    })

    it(`${stormSize} parallel refreshes of one token get one new token (${storms}×)`, async () => {
      const session = await logIn()
      for (let n = 0; n < storms; n++) {
        const requests = Array.from({ length: stormSize }, () => ask(proxy, refreshOf(session)))
        const answers = await Promise.all(requests)
        for (const { status, text } of answers) assert.equal(status, 200, text)
        const servers = answers.map(({ headers }) => headers.get('x-server'))
        assert.equal(new Set(servers).size, urls.length)

        const all = answers.map(({ json }) => tokensOf(json))
        assert.equal(new Set(all.map(({ refreshToken }) => refreshToken)).size, 1)
        for (const tokens of all)
          assert.equal((await ask(proxy, openingOf({ ...session, tokens }))).status, 200)
        session.tokens = all[0] ?? assert.fail()
      }
    })

    it(`all servers soon refuse a token revoked by one server (${revocations} times)`, async () => {
      const milliseconds: number[] = []
      const username = `u${randomUUID()}`
      for (let n = 0; n < revocations; n++) {
        const session = await logIn(username)
        for (const url of urls) assert.equal((await ask(url, openingOf(session))).status, 200)
        const one = urls[n % urls.length] ?? ''
        const form = { token: session.tokens.refreshToken }
        assert.equal((await ask(one, { method: 'POST', path: '/revoke', form })).status, 200)
        const revokedAt = performance.now()

        assert.equal((await ask(one, openingOf(session))).status, 401)
        const others = urls.filter((url) => url !== one)
        const until = others.map(async (url) => {
          while ((await ask(url, openingOf(session))).status !== 401) await delay(1)
          milliseconds.push(performance.now() - revokedAt)
        })
        await Promise.all(until)
      }
      const sorted = milliseconds.toSorted((a, b) => a - b)
      const at = (share: number): string =>
        (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(0)
      console.log(
        `${way}: from the answer of POST /revoke to the refusal by another server, in ms, ` +
          `${revocations} times: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`,
      )
    })

    it('the tests in test/flows pass with three instances that take turns to answer', async () => {
      const { NODE_TEST_CONTEXT: _, KEYSTILE_LONG: __, ...env } = process.env
      const options = ['--conditions=source', '--test', '--test-concurrency=2']
      const files = globSync('test/flows/*.test.ts', { cwd: root })
      const child = spawn(process.execPath, [...options, ...files.toSorted()], {
        cwd: root,
        env: {
          ...env,
          KEYSTILE_TEST_INSTANCES: '3',
          ...(pooler && { KEYSTILE_TEST_POOLER_PORT: String(pooler.port) }),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
      const counts = /^ℹ tests[^]*?^ℹ skipped \d+/m.exec(output)?.[0].replaceAll('\nℹ', ',')
      console.log(`${way}: ${counts}`)
      assert.equal(code, 0, output.slice(output.indexOf('failing tests:')))
    })

    if (way === 'through PgBouncer')
      it('without the database, the load balancer forwards a server’s 503', async () => {
        const session = await logIn()
        await pooler?.kill()
        await waitUntil('the servers are still ready', async () =>
          (await Promise.all(urls.map((url) => fetch(`${url}/readyz`)))).every(
            ({ status }) => status === 503,
          ),
        )
        await delay(2_000) // HAProxy asks two times, each 500 ms
        const refused = await ask(proxy, refreshOf(session))
        assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
        const keys = await ask(proxy, { method: 'GET', path: '/.well-known/jwks.json' })
        assert.equal(keys.status, 200)
      })
  })

async function countAdvisoryLocks(url: string): Promise<number> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query(
    `select 1 from pg_locks where locktype = 'advisory' and database =
      (select oid from pg_database where datname = current_database())`,
  )
  await client.end()
  return rows.length
}

/** Sends a request, which must be answered. */
async function ask(url: string, request: Parameters<typeof send>[1]): Promise<Answer> {
  return (await send(url, request)) ?? assert.fail(`${url} did not answer`)
}
