// Keystile behind PgBouncer in transaction mode: each transaction, and each read outside of one, may
// run on a different connection to PostgreSQL.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import pg from 'pg'
import { freePort } from '../../packages/server/test-support/command.ts'
import { key, startKeystile } from '../../packages/server/test-support/keystile.ts'
import {
  createTestDatabase,
  howToGetPostgres,
} from '../../packages/server/test-support/postgres.ts'
import { until } from '../../tools/until.ts'
import { isListening } from '../support/listening.ts'

const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find(existsSync)
const skip =
  (!process.env['KEYSTILE_LONG'] && 'KEYSTILE_LONG=1 runs it') ||
  (program === undefined && 'PgBouncer is not installed: apt-get install pgbouncer') ||
  (!process.env['KEYSTILE_TEST_DATABASE_URL'] && `no PostgreSQL: ${howToGetPostgres}`)

interface Bouncer {
  /** The URL of the database through PgBouncer. */
  readonly url: string
  /** The URL of the database without PgBouncer. */
  readonly direct: string
}

/** Starts PgBouncer in front of a new database. */
async function startBouncer(t: TestContext, preparedStatements: number): Promise<Bouncer> {
  const database = await createTestDatabase()
  assert.ok(database, howToGetPostgres)
  t.after(() => database.drop())
  const { hostname, port, pathname, username } = new URL(database.url)
  const folder = mkdtempSync(join(tmpdir(), 'keystile-pgbouncer-'))
  chmodSync(folder, 0o755)
  t.after(() => rmSync(folder, { recursive: true }))
  const listenPort = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  const users = join(folder, 'users.txt')
  writeFileSync(users, `"${username}" ""\n`)
  writeFileSync(
    file,
    `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 20
max_prepared_statements = ${preparedStatements}
server_login_retry = 1
`,
  )
  // PgBouncer refuses to run as root.
  const isRoot = process.getuid?.() === 0
  const user = isRoot ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  const bouncer = spawn(program!, [file], { ...user, stdio: ['ignore', 'ignore', 'inherit'] })
  t.after(async () => {
    bouncer.kill('SIGKILL')
    if (bouncer.exitCode === null && bouncer.signalCode === null) await once(bouncer, 'exit')
  })
  await until(() => isListening(listenPort))
  return { url: `postgres://${username}@127.0.0.1:${listenPort}${pathname}`, direct: database.url }
}

function idOf(kind: '-u' | '-g'): number {
  return Number(execFileSync('id', [kind, 'nobody']))
}

describe('Keystile behind PgBouncer in transaction mode', { skip }, () => {
  for (const preparedStatements of [200, 0]) {
    it(`Keystile works at PgBouncer’s max_prepared_statements=${preparedStatements}`, async (t) => {
      const { url, direct } = await startBouncer(t, preparedStatements)
      const errors: unknown[] = []
      const logger = {
        debug() {},
        info() {},
        warn: (fields: object) => void errors.push(fields),
        error: (fields: object) => void errors.push(fields),
      }
      const server = await startKeystile({ database: url, key, logger })
      t.after(() => server.keystile.close())
      const other = await startKeystile({ database: url, key, logger })
      t.after(() => other.keystile.close())

      const { send } = server
      const ada = await server.tokens('ada')
      const client = await server.addClient({ id: 'orders', grants: ['client_credentials'] })
      const refreshed = await server.refresh(ada.refreshToken)
      assert.equal(refreshed.status, 200)
      const bearer = refreshed.json['access_token'] as string
      assert.equal((await send('GET', '/users/me', { bearer })).status, 200)
      assert.equal((await server.open([], { bearer })).status, 200)
      const issued = await send('POST', '/token', {
        form: { grant_type: 'client_credentials', ...client },
      })
      assert.equal(issued.status, 200, issued.text)

      // Management: an administrator disables a user.
      const eve = await server.tokens('eve')
      await server.setScopes(ada.subject, ['users:read', 'users:write'])
      const admin = (await server.login()).json['access_token'] as string
      const changed = await send('PATCH', `/users/${eve.subject}`, {
        bearer: admin,
        json: { disabled: true },
      })
      assert.equal(changed.status, 200, changed.text)
      // The other process reads this from the feed, without signals.
      const sees = (token: string): Promise<number> =>
        other.send('GET', '/users/me', { bearer: token }).then(({ status }) => status)
      await until(async () => (await sees(eve.accessToken)) === 401)

      const { refresh_token: token } = refreshed.json
      assert.equal((await send('POST', '/revoke', { form: { token } })).status, 200)
      await until(async () => (await sees(bearer)) === 401)

      const watcher = new pg.Client(direct)
      await watcher.connect()
      watcher.on('error', () => {}) // the database is dropped before the hook below runs
      t.after(() => watcher.end())
      const count = async (rows: string): Promise<number> =>
        Number((await watcher.query(`select count(*) from ${rows}`)).rows[0].count)
      // Housekeeping takes the lease, and the keys were made once.
      assert.ok((await count('keystile.lease')) > 0)
      assert.equal(await count('keystile.signing_key'), 1)
      // A signal to an idle connection of PgBouncer would end it, so nobody listens.
      assert.equal(await count("pg_stat_activity where query like 'listen%'"), 0)
      assert.deepEqual(errors, [])
    })
  }

  it('if PgBouncer refuses a URL parameter, the error says to remove the parameter', async (t) => {
    const { url } = await startBouncer(t, 0)
    await assert.rejects(
      startKeystile({ database: `${url}?statement_timeout=1000`, key }),
      /unsupported startup parameter: statement_timeout.*Fix: remove this parameter from the URL/,
    )
  })

  it('30 simultaneous logins succeed while PgBouncer has only 20 server connections', async (t) => {
    const { url } = await startBouncer(t, 0)
    const { keystile, register, login } = await startKeystile({ database: url, key })
    t.after(() => keystile.close())
    await register()
    const logins = await Promise.all(Array.from({ length: 30 }, () => login()))
    for (const { status } of logins) assert.equal(status, 200)
  })
})
