import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { createKeystile } from '@keystile/server'
import { decodeJwtUnsafe } from 'keystile/jwt'
import pg from 'pg'
import {
  callCommand,
  freePort,
  runCommand,
  startServer,
  type Finished,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import {
  createTestDatabase,
  howToGetPostgres,
  type TestDatabase,
} from '../../packages/server/test-support/postgres.ts'
import { until } from '../../tools/until.ts'

const password = 'an engine of her own'
const noPostgres =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
    ? false
    : `no PostgreSQL: ${howToGetPostgres}`

for (const kind of ['SQLite', 'PostgreSQL'] as const) {
  describe(`keystile user on ${kind}`, { skip: kind === 'PostgreSQL' && noPostgres }, () => {
    let cwd: string
    let postgres: TestDatabase | undefined
    /** A test starts the server after it has created users. */
    let server: RunningServer | undefined
    let env: Record<string, string>
    before(async () => {
      cwd = mkdtempSync(join(tmpdir(), 'keystile-user-'))
      writeFileSync(join(cwd, 'password'), `${password}\n`, { mode: 0o600 })
      writeFileSync(
        join(cwd, 'keystile.config.json'),
        JSON.stringify({
          scopes: { 'items:read': 'Read items' },
          roles: { reader: ['items:read'] },
        }),
      )
      const port = String(await freePort())
      env = { PORT: port, KEYSTILE_ISSUER: `http://localhost:${port}` }
      if (kind === 'SQLite') return
      postgres = await createTestDatabase()
      assert.ok(postgres, howToGetPostgres)
      env = {
        ...env,
        DATABASE_URL: postgres.url,
        KEYSTILE_KEY: 'a sealing key for tests: 0123456789 abcdef',
      }
    })
    after(async () => {
      await server?.stop()
      await postgres?.drop()
      rmSync(cwd, { recursive: true })
    })

    const user = (...args: string[]): Promise<Finished> =>
      callCommand(['user', ...args], { cwd, env })
    const login = async (
      username: string,
    ): Promise<{ status: number; access_token: string; scope: string }> => {
      const response = await fetch(`${server!.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ username, password }),
      })
      return {
        status: response.status,
        ...((await response.json()) as { access_token: string; scope: string }),
      }
    }

    const sql = async (text: string): Promise<void> => {
      if (!postgres) {
        const sqlite = new DatabaseSync(join(cwd, 'data/keystile.db'), { timeout: 60_000 })
        sqlite.exec(text)
        return sqlite.close()
      }
      const client = new pg.Client({
        connectionString: postgres.url,
        options: '-c search_path=keystile',
      })
      await client.connect()
      await client.query(text)
      await client.end()
    }
    const readHash = async (username: string): Promise<string> => {
      const sql = `select password_hash from "user" where username_key = '${username}'`
      if (!postgres)
        return new DatabaseSync(join(cwd, 'data/keystile.db'), { timeout: 60_000 })
          .prepare(sql)
          .get()!['password_hash'] as string
      const client = new pg.Client({
        connectionString: postgres.url,
        options: '-c search_path=keystile',
      })
      await client.connect()
      const { rows } = await client.query<{ password_hash: string }>(sql)
      await client.end()
      return rows[0]!.password_hash
    }

    it('`keystile user grant` and `client create` accept scopes that an app declares', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'keystile-embedded-'))
      const own = kind === 'SQLite' ? undefined : await createTestDatabase()
      const database = own?.url ?? join(folder, 'app.db')
      const keystile = await createKeystile({
        issuer: 'http://localhost:3000/auth',
        database,
        key: 'a sealing key for tests: 0123456789 abcdef',
        dangerouslyAllowLostCommits: true,
        scopes: { 'orders:read': 'Read orders' },
        roles: { clerk: ['orders:read'] },
      })
      try {
        await keystile.users.create({ username: 'ada', password })
        const call = (...args: string[]): Promise<Finished> =>
          callCommand([...args, '--database', database], { cwd: folder })

        const granted = await call('user', 'grant', 'ada', '--role', 'clerk')
        assert.deepEqual([granted.stderr, granted.stdout], ['', 'ada has role:clerk\n'])
        const client = ['client', 'create', 'jobs', '--grants', 'client_credentials']
        assert.equal((await call(...client, '--scopes', 'orders:read')).code, 0)
        const unknown = await call('user', 'grant', 'ada', '--scope', 'items:read')
        assert.match(unknown.stderr, /The declared scopes are orders:read, users:read, users:write/)
      } finally {
        await keystile.close()
        await own?.drop()
        rmSync(folder, { recursive: true })
      }
    })

    it('`keystile user` works only if Keystile, and not the app, stores the users', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'keystile-embedded-'))
      const own = kind === 'SQLite' ? undefined : await createTestDatabase()
      const database = own?.url ?? join(folder, 'app.db')
      writeFileSync(join(folder, 'password'), password, { mode: 0o600 })
      const common = {
        issuer: 'http://localhost:3000/auth',
        database,
        key: 'a sealing key for tests: 0123456789 abcdef',
        dangerouslyAllowLostCommits: true,
      }
      const call = (...args: string[]): Promise<Finished> =>
        callCommand([...args, '--database', database], { cwd: folder })
      try {
        const nobody = { findByLogin: () => null, findBySubject: () => null }
        const rest = { active: () => true, scopes: () => [], passwordHash: () => null }
        const subject = (): string => 'ada'
        const keystile = await createKeystile({ ...common, users: { ...nobody, ...rest, subject } })
        for (const args of [
          ['create', 'ada', '--password-file', 'password'],
          ['list'],
          ['list', '--json'],
          ['grant', 'ada', '--role', 'admin'],
          ['disable', 'ada'],
          ['enable', 'ada'],
          ['set-password', 'ada', '--password-file', 'password'],
          ['delete', 'ada'],
        ]) {
          const { code, stdout, stderr } = await call('user', ...args)
          assert.deepEqual([code, stdout], [1, ''], args.join(' '))
          assert.match(stderr, /stores its users itself .*keystile\.sessions\.revokeAll\(subject\)/)
        }
        assert.equal((await call('client', 'list')).code, 0)
        await keystile.close()

        await (await createKeystile(common)).close()
        const listed = await call('user', 'list')
        assert.deepEqual([listed.code, listed.stdout, listed.stderr], [0, '', ''])
        const args = ['create', 'ada', '--password-file', 'password']
        const created = await call('user', ...args)
        assert.deepEqual([created.code, created.stderr], [0, ''])
        assert.equal((await call('user', 'list')).stderr, '')

        chmodSync(join(folder, 'password'), 0o644)
        const open = await call('user', 'set-password', 'ada', '--password-file', 'password')
        assert.equal(open.code, 0)
        assert.match(
          open.stderr,
          /^warning: password should be private; .* Fix: chmod 600 password/,
        )
      } finally {
        await own?.drop()
        rmSync(folder, { recursive: true })
      }
    })

    it('`keystile user create` makes a user with roles and scopes who can log in', async () => {
      const args = ['user', 'create', 'Root', '--role', 'admin', '--password-file', 'password']
      const created = await runCommand(args, { cwd, env })
      assert.deepEqual([created.code, created.stderr], [0, ''])
      assert.match(created.stdout, /^created Root \([\w-]{22}\)\n$/)
      assert.equal(
        (
          await user(
            'create',
            'bob',
            '--email',
            'bob@example.com',
            '--scope',
            'items:read',
            '--password-file',
            'password',
          )
        ).code,
        0,
      )
      server = await startServer({ cwd, env, port: Number(env['PORT']) })
      assert.equal((await login('root')).scope, 'items:read users:read users:write')
      assert.equal((await login('bob@example.com')).scope, 'items:read')
    })

    it('`keystile user list` prints one line per user', async () => {
      const { stdout } = await user('list')
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t'))
      assert.deepEqual(
        lines.map(([name, , email, state, , grants]) => [name, email, state, grants]),
        [
          ['bob', 'bob@example.com', 'active', 'items:read'],
          ['Root', '-', 'active', 'role:admin'],
        ],
      )
    })

    it('`keystile user factors` says if too many wrong codes have stopped unknown devices', async () => {
      await sql(
        'insert into authenticator_app (subject, state, sealed, last_step, wrong_codes, created_at) ' +
          `select id, 'confirmed', 'x', -1, 99, 0 from "user" where username_key = 'bob'`,
      )
      const line = 'bob has an authenticator app since 1970-01-01T00:00:00.000Z, and 0 unused '
      const before = await user('factors', 'bob')
      assert.equal(before.stdout, `${line}recovery codes\n`)
      await sql('update authenticator_app set wrong_codes = 100')
      const after = await user('factors', 'bob')
      assert.match(after.stdout, /recovery codes\nAfter 100 wrong codes .* unknown devices cannot/)
      const { totp } = JSON.parse((await user('factors', 'bob', '--json')).stdout)
      assert.equal(totp.takes_unknown_devices, false)
      await sql('delete from authenticator_app')
    })

    it('`keystile user` escapes control characters in profiles, addresses and names', async () => {
      const chosen = { city: '\u001b[31mred\u009b\u2028\u202e', ['\u001b]0;title\u0007']: '\n' }
      await sql(
        `update "user" set profile = '${JSON.stringify(chosen)}' where username_key = 'bob'`,
      )
      const line = (await user('list', '--json')).stdout.split('\n')[0]!
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      const { city, ...shown } = JSON.parse(line) as Record<string, unknown>
      assert.deepEqual([city, shown['\u001b]0;title\u0007']], [chosen.city, '\n'])
      await sql(
        `update "user" set profile = '{}', email = 'x\u001b[2J\tadmin' where username_key = 'bob'`,
      )
      assert.match((await user('list')).stdout, /^bob\t\S+\tx\\u001b\[2J\\u0009admin\tactive\t/)
      await sql(`update "user" set email = 'bob@example.com' where username_key = 'bob'`)
      assert.equal(
        (await user('disable', 'x\u001b[2J')).stderr,
        'keystile: there is no user x\\u001b[2J\n',
      )
    })

    it('after `keystile user disable`, a server refuses the user’s tokens', async () => {
      const { access_token: token } = await login('bob')
      const me = async (): Promise<number> =>
        (await fetch(`${server!.url}/users/me`, { headers: { authorization: `Bearer ${token}` } }))
          .status
      assert.equal(await me(), 200)
      const { code, stdout } = await user('disable', 'BOB')
      assert.deepEqual(
        [code, stdout],
        [0, 'disabled bob; a running server refuses their tokens within a second\n'],
      )
      await until(async () => (await me()) === 401)
      assert.equal((await login('bob')).status, 400)
      assert.match((await user('list')).stdout, /^bob\t.*\tdisabled\t/m)
      assert.ok(decodeJwtUnsafe(token).claims.sub)
    })

    it('after `keystile user enable`, a login succeeds; `grant --now` ends sessions', async () => {
      assert.equal((await user('enable', 'bob')).stdout, 'enabled bob\n')
      const { access_token: token, scope } = await login('bob')
      assert.equal(scope, 'items:read')
      const me = async (): Promise<number> =>
        (await fetch(`${server!.url}/users/me`, { headers: { authorization: `Bearer ${token}` } }))
          .status
      assert.equal(
        (await user('grant', 'bob', '--role', 'reader', '--remove-scope', 'items:read')).stdout,
        'bob has role:reader\n',
      )
      assert.equal(await me(), 200)
      assert.equal(
        (await user('grant', 'bob', '--remove-role', 'reader', '--now')).stdout,
        'bob has neither roles nor scopes\n',
      )
      await until(async () => (await me()) === 401)
      assert.equal((await login('bob')).scope, '')
    })

    it('`keystile user set-password` ends all sessions of the user', async () => {
      const { access_token: token } = await login('bob')
      writeFileSync(join(cwd, 'other'), 'another engine of her own\n', { mode: 0o600 })
      assert.equal(
        (await user('set-password', 'bob', '--password-file', 'other')).stdout,
        'bob has a new password and no sessions\n',
      )
      const me = async (): Promise<number> =>
        (await fetch(`${server!.url}/users/me`, { headers: { authorization: `Bearer ${token}` } }))
          .status
      await until(async () => (await me()) === 401)
      assert.equal((await login('bob')).status, 400)
      assert.equal((await user('set-password', 'bob', '--password-file', 'password')).code, 0)
      assert.equal((await login('bob')).status, 200)
    })

    it('`keystile user set-password` lets a user log in who has to wait', async () => {
      assert.equal((await user('create', 'eve', '--password-file', 'password')).code, 0)
      const set = (file: string): Promise<Finished> =>
        user('set-password', 'eve', '--password-file', file)
      assert.equal((await set('other')).code, 0)
      const statuses: number[] = []
      for (let n = 0; n < 11; n++) statuses.push((await login('eve')).status)
      assert.deepEqual([statuses[9], statuses[10]], [400, 429])
      assert.equal((await set('password')).code, 0)
      assert.equal((await login('eve')).status, 200)
      assert.equal((await user('delete', 'eve')).code, 0)
    })

    it('`keystile user set-password` obeys the settings for passwords and hash cost', async () => {
      writeFileSync(join(cwd, 'eight'), 'zk4-tent\n', { mode: 0o600 })
      const set = (...args: string[]): Promise<Finished> =>
        user('set-password', 'bob', '--password-file', 'eight', ...args)
      assert.match((await set()).stderr, /at least 15 characters/)
      const cost = ['--password-hashing', 'm=12288,t=3']
      assert.equal((await set('--password-min-length', '8', ...cost)).code, 0)
      assert.match(await readHash('bob'), /^\$argon2id\$v=19\$m=12288,t=3,p=1\$/)
      assert.equal((await user('set-password', 'bob', '--password-file', 'password')).code, 0)
    })

    it('`keystile user list --json` and `key list --json` print one line per entry', async () => {
      const { stdout } = await user('list', '--json')
      const [bob, root] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      assert.deepEqual(
        [bob.username, bob.disabled, root.username, root.roles],
        ['bob', false, 'Root', ['admin']],
      )
      const key = await callCommand(['key', 'list', '--json'], { cwd, env })
      assert.equal(JSON.parse(key.stdout).algorithm, 'ES256')
      assert.match(
        (await callCommand(['key', 'list'], { cwd, env })).stdout,
        /^[\w-]{43}\tES256\t\d{4}-/,
      )
    })

    it('`keystile user delete` deletes permanently, but never the last administrator', async () => {
      assert.equal((await user('create', 'gone', '--password-file', 'password')).code, 0)
      assert.equal((await user('delete', 'gone')).stdout, 'deleted gone\n')
      assert.match((await user('delete', 'gone')).stderr, /there is no user gone/)
      assert.match(
        (await user('create', 'gone', '--password-file', 'password')).stderr,
        /already taken/,
      )
      for (const args of [
        ['delete', 'root'],
        ['disable', 'root'],
        ['grant', 'root', '--remove-role', 'admin'],
      ]) {
        assert.match(
          (await user(...args)).stderr,
          /the last administrator must stay an administrator/,
          args.join(' '),
        )
      }
    })

    it('`keystile user` says in one line why it refuses a wrong value or argument', async () => {
      writeFileSync(join(cwd, 'short'), 'short\n', { mode: 0o600 })
      writeFileSync(join(cwd, 'common'), 'passwordpassword\n', { mode: 0o600 })
      writeFileSync(join(cwd, 'named'), 'a Wonderful life of mine\n', { mode: 0o600 })
      writeFileSync(join(cwd, 'hosted'), 'my localhost, my castle\n', { mode: 0o600 })
      writeFileSync(join(cwd, 'rooted'), 'the Root of evil\n', { mode: 0o600 })
      writeFileSync(join(cwd, 'latin'), Buffer.from('passwörd passwörd', 'latin1'), { mode: 0o600 })
      const table: readonly (readonly [readonly string[], RegExp])[] = [
        [['create', 'root', '--password-file', 'password'], /this username is already taken/],
        [
          ['create', 'new', '--email', 'BOB@example.com', '--password-file', 'password'],
          /this email is already taken/,
        ],
        [
          ['create', 'new', '--email', 'nobody', '--password-file', 'password'],
          /--email must be an e-mail address/,
        ],
        [['create', 'n@w', '--password-file', 'password'], /a user name must have 2 to 63/],
        [
          ['create', 'new', '--role', 'god', '--password-file', 'password'],
          /--role must be a declared role; it is .*The declared roles are reader, admin/,
        ],
        [
          ['create', 'new', '--scope', 'x', '--password-file', 'password'],
          /--scope must be a declared scope; it is .*The declared scopes are items:read/,
        ],
        [['create', 'new', '--password-file', 'short'], /at least 15 characters/],
        [['create', 'new', '--password-file', 'common'], /most common passwords; several words/],
        [['create', 'wonderful', '--password-file', 'named'], /should not contain your username/],
        [
          ['create', 'new', '--email', 'wonderful@x.example', '--password-file', 'named'],
          /contain your e-mail address/,
        ],
        [
          ['set-password', 'bob', '--password-file', 'hosted'],
          /should not contain the name of this service/,
        ],
        [
          ['set-password', 'root', '--password-file', 'rooted'],
          /at least 15 characters besides your username/,
        ],
        [['create', 'new', '--password-file', 'latin'], /--password-file cannot be read/],
        [['create', 'new', '--password-file', 'absent'], /--password-file cannot be read/],
        [
          ['create', 'new'],
          /must be a terminal, so that you can type a password\. Fix: give --password-file/,
        ],
        [
          ['create', '--password-file', 'password'],
          /the command must be: keystile user create NAME/,
        ],
        [
          ['create', 'a', 'b', '--password-file', 'password'],
          /the command must be: keystile user create NAME/,
        ],
        [['disable', 'nobody'], /there is no user nobody/],
      ]
      for (const [args, expected] of table) {
        const { code, stdout, stderr } = await user(...args)
        assert.deepEqual([code, stdout], [1, ''], args.join(' '))
        assert.match(stderr, expected)
        assert.equal(stderr.trim().split('\n').length, 1, stderr)
      }
      assert.equal((await user('list')).stdout.trim().split('\n').length, 2)
    })
  })
}
