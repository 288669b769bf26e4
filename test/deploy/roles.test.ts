// deploy/roles.sql on a real PostgreSQL: the owner migrates, the application reads and writes rows.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import {
  callCommand,
  startServer,
  type Finished,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import {
  createTestDatabase,
  howToGetPostgres,
  type TestDatabase,
} from '../../packages/server/test-support/postgres.ts'

const roles = readFileSync(join(import.meta.dirname, '../../deploy/roles.sql'), 'utf8')
const password = 'an engine of her own'
const database = await createTestDatabase()

describe(
  'the roles of deploy/roles.sql',
  { skip: !database && `there is no PostgreSQL: ${howToGetPostgres}` },
  () => {
    const { url = '', drop } = database ?? ({} as Partial<TestDatabase>)
    let cwd = ''
    let server: RunningServer | undefined
    before(async () => {
      cwd = mkdtempSync(join(tmpdir(), 'keystile-roles-'))
      await run(url, roles)
    })
    after(async () => {
      await server?.stop()
      rmSync(cwd, { recursive: true })
      await drop?.()
      await run(process.env['KEYSTILE_TEST_DATABASE_URL'] ?? '', removeRoles)
    })

    const as = (role: 'owner' | 'app'): string =>
      Object.assign(new URL(url), { username: `keystile_${role}` }).href
    const command = (role: 'owner' | 'app', ...args: readonly string[]): Promise<Finished> =>
      callCommand(args, { cwd, env: { DATABASE_URL: as(role) } })

    it('deploy/roles.sql can run in a second database of the cluster', async () => {
      const second = await createTestDatabase()
      assert.ok(second)
      try {
        await run(second.url, roles)
      } finally {
        await second.drop()
      }
    })

    it('deploy/roles.sql allows only the owner to create tables', async () => {
      const refused = await command('app', 'migrate')
      assert.equal(refused.code, 1)
      assert.match(
        refused.stderr,
        /permission denied for schema keystile. Fix: run "keystile migrate" as the role that owns/,
      )
      assert.doesNotMatch(refused.stderr, /grant create/)

      const doctor = async (role: 'owner' | 'app'): Promise<string> =>
        (await command(role, 'doctor', '--issuer', 'http://localhost:8000')).stdout
      assert.match(await doctor('app'), /stop {2}tables-current .*\n.*may not create them/)
      assert.match(await doctor('app'), /fix: run "keystile migrate" as the role that owns/)
      assert.doesNotMatch(await doctor('owner'), /tables-current/)

      const { code, stdout, stderr } = await command('owner', 'migrate')
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, /the tables are up to date/)
      assert.doesNotMatch(await doctor('app'), /tables-current|could not be checked:.*tables/)

      await run(url, forgetLastMigration)
      for (const role of ['app', 'owner'] as const)
        assert.match(await doctor(role), /stop {2}tables-current .*\n.*it lacks \d{4}-/)
      await run(url, rememberIt)
    })

    it('deploy/roles.sql gives the role keystile_app all rights that a server needs', async () => {
      const env = {
        DATABASE_URL: as('app'),
        KEYSTILE_KEY: randomBytes(32).toString('base64'),
        KEYSTILE_ISSUER: 'http://localhost:8000',
      }
      server = await startServer({ cwd, env })
      const { url: origin } = server
      const send = async (path: string, body: string | URLSearchParams): Promise<Response> =>
        fetch(`${origin}${path}`, {
          method: 'POST',
          body,
          ...(typeof body === 'string' && { headers: { 'content-type': 'application/json' } }),
        })

      const user = { username: 'ada', email: 'ada@example.com', password }
      assert.equal((await send('/users', JSON.stringify(user))).status, 201)
      const login = await send('/token', new URLSearchParams({ username: 'ada', password }))
      assert.equal(login.status, 200)
      const { refresh_token } = (await login.json()) as { refresh_token: string }
      const refresh = { grant_type: 'refresh_token', refresh_token }
      const refreshed = await send('/token', new URLSearchParams(refresh))
      assert.equal(refreshed.status, 200)
      const { refresh_token: token } = (await refreshed.json()) as { refresh_token: string }
      assert.equal((await send('/revoke', new URLSearchParams({ token }))).status, 200)
      const wrong = new URLSearchParams({ username: 'ada', password: `${password}!` })
      assert.equal((await send('/token', wrong)).status, 400)
      assert.doesNotMatch(server.stderr(), /permission denied|"level":50/)
    })

    it('deploy/roles.sql lets operators run commands with the role keystile_app', async () => {
      writeFileSync(join(cwd, 'password'), password, { mode: 0o600 })
      for (const args of [
        ['user', 'create', 'bob', '--password-file', 'password'],
        ['user', 'grant', 'bob', '--scope', 'users:read', '--now'],
        ['user', 'disable', 'bob'],
        ['user', 'delete', 'bob'],
        ['client', 'create', 'orders', '--grants', 'client_credentials'],
        ['audit'],
        ['migrate'],
      ]) {
        const { code, stderr } = await command('app', ...args)
        assert.deepEqual([code, stderr], [0, ''], args.join(' '))
      }
    })

    for (const statement of [
      'create table keystile.mine (id text)',
      'alter table keystile.audit disable trigger all',
      'drop trigger audit_append_only on keystile.audit',
      'drop table keystile.audit',
      'truncate keystile.audit',
      'create or replace function keystile.refuse_audit_update() returns int language sql return 1',
      'update keystile.audit set actor = actor',
      'create table public.mine (id text)',
      'create schema mine',
      'set role keystile_owner',
    ]) {
      it(`deploy/roles.sql forbids the role keystile_app to run: ${statement}`, async () => {
        await assert.rejects(
          run(as('app'), statement),
          /permission denied|must be owner|append-only/,
        )
      })
    }
  },
)

// Moves the row of the last migration to another table, as if that migration had not run yet.
const forgetLastMigration = `
  create table forgotten as
    select * from keystile.migration order by name desc limit 1;
  delete from keystile.migration where name in (select name from forgotten)`
const rememberIt = 'insert into keystile.migration select * from forgotten; drop table forgotten'
const removeRoles = 'drop role if exists keystile_app; drop role if exists keystile_owner'

async function run(url: string, statements: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(statements)
  } finally {
    await client.end()
  }
}
