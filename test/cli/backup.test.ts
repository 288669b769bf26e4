// Backups of SQLite, and restores: what the commands refuse, and what a restored database accepts.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { AppMail } from '@keystile/server'
import { systemClock } from 'keystile/internal'
import { exportPrivateJwk, generateKey, type Jwk } from 'keystile/jwt'
import {
  callCommand,
  startServer,
  type CommandOptions,
  type Finished,
} from '../../packages/server/test-support/command.ts'
import {
  createTestClock,
  issuer,
  key,
  password,
  startKeystile,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { copyMigratedFile } from '../../packages/server/test-support/migrated.ts'
import { enrol } from '../../packages/server/test-support/second-factor.ts'
import { until } from '../../tools/until.ts'

const otherKey = 'another sealing key for tests: 9876 zyxw'

describe('keystile backup and keystile restore', () => {
  let cwd: string
  let database: string
  const running: TestKeystile[] = []
  const path = (name: string): string => join(cwd, name)

  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-backup-'))
    database = await copyMigratedFile(path('keystile.db'))
  })
  afterEach(async () => {
    await stop()
    rmSync(cwd, { recursive: true })
  })

  /** Runs a command with the settings of the servers in these tests. */
  const run = (args: readonly string[], env: CommandOptions['env'] = {}): Promise<Finished> =>
    callCommand(args, {
      cwd,
      env: { KEYSTILE_DATABASE: database, KEYSTILE_ISSUER: issuer, KEYSTILE_KEY: key, ...env },
    })

  /** Runs a command that must succeed, and returns its output as JSON. */
  async function must(...args: readonly string[]): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await run([...args, '--json'])
    assert.deepEqual([code, stderr], [0, ''])
    return JSON.parse(stdout) as Record<string, unknown>
  }

  async function mustFail(args: readonly string[], message: RegExp): Promise<void> {
    const { code, stdout, stderr } = await run(args)
    assert.match(stderr, message)
    assert.deepEqual([code, stdout], [1, ''])
  }

  async function start(
    options: { readonly signingKey?: Jwk; readonly key?: string; readonly mail?: AppMail } = {},
  ): Promise<TestKeystile> {
    const started = await startKeystile({ database, clock: systemClock, ...options })
    running.push(started)
    return started
  }

  /** Makes a key for the setting `signingKey`, and writes it to `own.json`. */
  function makeOwnKey(): Jwk {
    const jwk = exportPrivateJwk(generateKey('ES256'))
    writeFileSync(path('own.json'), JSON.stringify(jwk), { mode: 0o600 })
    return jwk
  }

  async function stop(): Promise<void> {
    for (const { keystile } of running.splice(0)) await keystile.close()
  }

  function query(file: string, text: string): readonly Record<string, unknown>[] {
    const sqlite = new DatabaseSync(file, { timeout: 60_000 })
    try {
      return sqlite.prepare(text).all()
    } finally {
      sqlite.close()
    }
  }

  const statusOf = async ({ send }: TestKeystile, bearer: string): Promise<number> =>
    (await send('GET', '/users/me', { bearer })).status

  it('a backup of a database in use is one file that only its owner can read', async () => {
    const { tokens } = await start()
    await tokens()
    const told = await must('backup', 'b.db')

    assert.equal(told['users'], 1)
    assert.equal(told['sessions'], 1)
    assert.equal(told['bytes'], statSync(path('b.db')).size)
    assert.equal(statSync(path('b.db')).mode & 0o777, 0o600)
    assert.deepEqual(
      readdirSync(cwd).filter((name) => name.startsWith('b.db')),
      ['b.db'],
    )
    assert.equal(query(path('b.db'), 'pragma integrity_check')[0]!['integrity_check'], 'ok')
    assert.equal(query(path('b.db'), 'select username from user')[0]!['username'], 'ada')
  })

  it('`keystile backup` says which key a restore needs; the backup contains no key', async () => {
    await start()
    const { stdout } = await run(['backup', 'b.db'])
    assert.match(stdout, /^b\.db: backup of \S+Z, .* 0 users, .*\n/)
    assert.match(stdout, /you also need the value of KEYSTILE_KEY\. It is not in the backup/)
    assert.equal(readFileSync(path('b.db')).includes(key), false)

    await stop()
    mkdirSync(path('new'))
    writeFileSync(path('new/keystile.key'), `${key}\n`, { mode: 0o600 })
    copyFileSync(path('b.db'), path('new/keystile.db'))
    const made = await run(['backup', 'c.db'], { KEYSTILE_DATABASE: 'new/keystile.db' })
    assert.match(made.stdout, /you also need the file new[/\\]keystile\.key/)

    writeFileSync(path('new/keystile.key'), otherKey) // it cannot decrypt the keys
    const other = await run(['backup', 'd.db'], { KEYSTILE_DATABASE: 'new/keystile.db' })
    assert.match(other.stdout, /you also need the value of KEYSTILE_KEY\./)
  })

  it('`keystile backup` replaces only an earlier backup, and only with --overwrite', async () => {
    await start()
    writeFileSync(path('b.db'), 'something else')
    await mustFail(['backup', 'b.db'], /^keystile: b\.db must not exist yet\..*--overwrite\n$/)
    await mustFail(['backup', '--overwrite', 'b.db'], /replaces only earlier backups/)
    assert.equal(readFileSync(path('b.db'), 'utf8'), 'something else')
    rmSync(path('b.db'))
    await must('backup', 'b.db')
    await must('backup', '--overwrite', 'b.db')
    assert.equal((await must('restore', '--check', 'b.db'))['ok'], true)
  })

  it('`keystile backup` never writes over the database itself', async () => {
    await start()
    symlinkSync(database, path('link.db'))
    for (const name of ['keystile.db', 'link.db'])
      await mustFail(['backup', '--overwrite', name], /must be another file than the database/)
  })

  it('`keystile backup` creates missing folders that only their owner can open', async () => {
    await start()
    const umask = process.umask(0o000)
    try {
      await must('backup', 'backup/daily/b.db')
    } finally {
      process.umask(umask)
    }
    for (const folder of ['backup', 'backup/daily'])
      assert.equal(statSync(path(folder)).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(path('backup/daily')), ['b.db'])
  })

  it('a backup that fails leaves no file behind', async () => {
    writeFileSync(path('empty.db'), '')
    const other = { KEYSTILE_DATABASE: 'empty.db' }
    const { code, stderr } = await run(['backup', 'b.db'], other)
    assert.equal(code, 1)
    assert.match(stderr, /must have the tables of Keystile; empty\.db has none/)
    await mustFail(
      ['backup', 'keystile.db/b.db'],
      /^keystile: The folder of keystile\.db\/b\.db cannot be created: .* Fix: name a file in a/,
    )
    assert.match(
      (await run(['backup', 'b.db'], { KEYSTILE_DATABASE: 'no.db' })).stderr,
      /^keystile: the database must exist; there is no no\.db/,
    )
    assert.deepEqual(readdirSync(cwd).toSorted(), ['empty.db', 'keystile.db'])
  })

  it('`keystile backup` keeps no copy that is damaged', async () => {
    const sqlite = new DatabaseSync(database, { defensive: false })
    sqlite.exec(`create table note (text); insert into note values (null);
      pragma writable_schema = on;
      update sqlite_schema set sql = 'CREATE TABLE note (text not null)' where name = 'note'`)
    sqlite.close()
    await mustFail(['backup', 'b.db'], /the copy must be whole; .*: NULL value in note\.text/)
    assert.equal(readdirSync(cwd).join().includes('b.db'), false)
  })

  it('on PostgreSQL, backup and restore print the commands to run, without password', async () => {
    const url = 'postgres://ada:secret@localhost:1/shop?sslmode=verify-full'
    const backup = await run(['backup', 'b.db'], { KEYSTILE_DATABASE: url })
    assert.equal(
      backup.stderr,
      'keystile: keystile backup is for SQLite files; this database is PostgreSQL at ' +
        'localhost:1/shop. Fix: run  pg_dump --format=custom --schema=keystile --file=FILE ' +
        "'postgres://ada@localhost:1/shop'  (or pg_basebackup, for all databases of the server)\n",
    )
    const restore = await run(['restore', 'b.db'], { KEYSTILE_DATABASE: url })
    assert.match(restore.stderr, /pg_restore --single-transaction --dbname='postgres:\/\/ada@local/)
    assert.match(restore.stderr, /keystile finish-restore\n$/)
  })

  describe('restore --check', () => {
    /** Checks the backup `b.db`, and returns its faults as one text. */
    async function faultsOf(env?: CommandOptions['env']): Promise<string> {
      const { code, stdout, stderr } = await run(['restore', '--check', '--json', 'b.db'], env)
      const { ok, faults } = JSON.parse(stdout) as { ok: boolean; faults: readonly string[] }
      assert.deepEqual([stderr, code, ok], ['', faults.length === 0 ? 0 : 1, faults.length === 0])
      return faults.join('\n')
    }
    const change = (text: string): void => {
      const sqlite = new DatabaseSync(path('b.db'), { timeout: 60_000 })
      sqlite.exec(text)
      sqlite.close()
    }

    beforeEach(async () => {
      const { tokens } = await start()
      await tokens()
      await must('backup', 'b.db')
      await stop()
    })

    it('`keystile restore --check` tells what a backup contains, and changes nothing', async () => {
      const hash = (): string =>
        createHash('sha256')
          .update(readFileSync(path('b.db')))
          .digest('hex')
      const before = [hash(), readdirSync(cwd).join()]
      const told = await must('restore', '--check', 'b.db')
      assert.deepEqual([hash(), readdirSync(cwd).join()], before)

      const { keys, age_seconds: age } = told as { keys: { state: string }[]; age_seconds: number }
      assert.deepEqual(
        { ...told, keys: keys.map(({ state }) => state), age_seconds: age >= 0 && age < 600 },
        {
          ok: true,
          file: 'b.db',
          faults: [],
          schema: told['schema'],
          users: 1,
          sessions: 1,
          bytes: statSync(path('b.db')).size,
          backed_up_at: told['backed_up_at'],
          age_seconds: true,
          missing_migrations: 0,
          keys: ['current'],
        },
      )
      const { stdout } = await run(['restore', '--check', 'b.db'])
      assert.match(
        stdout,
        / 1 user, 1 session, .* 0 min old\nsigning key .*: current\nb\.db is whole/,
      )
    })

    it('`keystile restore --check` reports truncated, overwritten or missing backups', async () => {
      const whole = readFileSync(path('b.db'))
      truncateSync(path('b.db'), Math.floor(whole.length / 2))
      assert.match(await faultsOf(), /must be whole; this one is damaged/)
      writeFileSync(path('b.db'), whole.fill(7, 5 * 4096, 9 * 4096))
      assert.match(await faultsOf(), /must be whole; this one is damaged/)
      writeFileSync(path('b.db'), 'not a database, but some text')
      assert.match(await faultsOf(), /must be whole; this one is damaged/)
      rmSync(path('b.db'))
      assert.match(await faultsOf(), /there is no file b\.db/)
      mkdirSync(path('b.db'))
      assert.match(await faultsOf(), /there is no file b\.db/)
    })

    it('`restore --check` refuses a backup with a too new or a foreign schema', async () => {
      change("insert into migration values ('9999-later', '2030-01-01')")
      assert.equal(await faultsOf(), '') // the newer version has only added to the tables
      change('update schema_mark set oldest = 9999')
      assert.match(await faultsOf(), /must not be newer than this release; it needs schema 9999/)
      rmSync(path('b.db'))
      change('create table note (text text)')
      assert.equal(await faultsOf(), 'the backup must have the tables of Keystile; it has none')
    })

    it('`keystile restore --check` says how many migrations an older backup needs', async () => {
      for (const column of ['published_at', 'signs_from', 'signs_until'])
        change(`alter table signing_key drop column ${column}`)
      change("delete from migration where name > '0015'")
      const newer = ['login_flow', 'authenticator_app', 'recovery_code', 'dropped_mail']
      for (const table of [...newer, 'authorization_code', 'browser_login', 'schema_mark'])
        change(`drop table ${table}`)
      change('alter table client drop column first_party')
      for (const column of ['amr', 'authenticated_at'])
        change(`alter table session drop column ${column}`)
      change("delete from setting where name = 'longest_access_token_seconds'")
      assert.equal(await faultsOf(), '')
      const { stdout } = await run(['restore', '--check', 'b.db'])
      assert.match(stdout, /from an older version; a restore runs 7 migrations/)
      await must('restore', 'b.db')
      assert.equal(await statusOf(await start(), await (await start()).accessToken()), 200)
    })

    it('`keystile restore --check` refuses a backup if its keys cannot be decrypted', async () => {
      assert.match(await faultsOf({ KEYSTILE_KEY: otherKey }), /encrypted with a different key/)
      const previous = { KEYSTILE_KEY: otherKey, KEYSTILE_PREVIOUS_KEY: key }
      assert.equal(await faultsOf(previous), '')
      assert.match(
        await faultsOf({ KEYSTILE_KEY: '' }),
        /the file .*keystile\.key must exist.*Fix: restore it from a backup/,
      )
    })

    it('`restore` needs no key for the stored signing keys if `signingKey` is set', async () => {
      const signingKey = makeOwnKey()
      const own = { KEYSTILE_SIGNING_KEY_FILE: 'own.json' }
      for (const KEYSTILE_KEY of [key, otherKey, ''])
        assert.equal(await faultsOf({ ...own, KEYSTILE_KEY }), '')
      const { code, stderr } = await run(['restore', 'b.db'], { ...own, KEYSTILE_KEY: '' })
      assert.deepEqual([code, stderr], [0, ''])
      const restored = await start({ signingKey })
      assert.equal(await statusOf(restored, await restored.accessToken()), 200)
    })

    it('`restore` refuses a backup with authenticator apps that no key decrypts', async () => {
      const clock = createTestClock(Date.now())
      const jwk = makeOwnKey()
      const own = { KEYSTILE_SIGNING_KEY_FILE: 'own.json' }
      database = await copyMigratedFile(path('new.db'))
      const server = await startKeystile({
        database,
        clock,
        key,
        signingKey: jwk,
        secondFactor: 'optional',
      })
      await enrol(server, clock)
      await server.keystile.close()
      await run(['backup', 'b.db', '--overwrite'], own)
      const before = readdirSync(cwd).toSorted()

      for (const wrong of [{ KEYSTILE_KEY: otherKey }, { KEYSTILE_KEY: '' }]) {
        const env = { ...own, ...wrong }
        assert.match(
          await faultsOf(env),
          /^KEYSTILE_KEY must decrypt .* of 1 app, it cannot decrypt 1\. Fix: give the key that /,
        )
        const { code, stderr } = await run(['restore', 'b.db'], env)
        assert.equal(code, 1)
        assert.match(stderr, /b\.db cannot be restored:\n- KEYSTILE_KEY must decrypt the secrets/)
      }
      assert.deepEqual(readdirSync(cwd).toSorted(), before)
      assert.equal(await faultsOf(own), '')
      const previous = { KEYSTILE_KEY: otherKey, KEYSTILE_PREVIOUS_KEY: key }
      assert.equal(await faultsOf({ ...own, ...previous }), '')

      writeFileSync(path('keystile.key'), otherKey, { mode: 0o600 })
      assert.match(
        await faultsOf({ ...own, KEYSTILE_KEY: '' }),
        /^the file \S+keystile\.key must decrypt the secrets of the authenticator apps/,
      )
      writeFileSync(path('keystile.key'), key)
      assert.equal(await faultsOf({ ...own, KEYSTILE_KEY: '' }), '')
    })

    it('a backup whose key is lost is restored by hand, without authenticator apps', async () => {
      const clock = createTestClock(Date.now())
      const server = await startKeystile({ database, clock, key, secondFactor: 'optional' })
      await enrol(server, clock, 'eve')
      await server.keystile.close()
      await run(['backup', 'b.db', '--overwrite'])
      const jwk = makeOwnKey()
      const env = { KEYSTILE_SIGNING_KEY_FILE: 'own.json', KEYSTILE_KEY: otherKey }
      assert.notEqual(await faultsOf(env), '')

      copyFileSync(path('b.db'), database)
      for (const args of [['finish-restore'], ['user', 'reset-factors', 'eve']]) {
        const { code, stderr } = await run(args, env)
        assert.deepEqual([code, stderr], [0, ''])
      }
      const restored = await start({ signingKey: jwk, key: otherKey })
      assert.equal((await restored.login({ username: 'eve' })).status, 200)
    })

    it('`keystile restore --check` refuses a backup of another issuer', async () => {
      const other = { KEYSTILE_ISSUER: 'http://localhost:3000/other' }
      assert.match(await faultsOf(other), /belongs to the issuer http:\/\/localhost:3000\/auth/)
    })

    it('`keystile restore` changes nothing if `restore --check` would report a fault', async () => {
      const before = readFileSync(database)
      const env = { KEYSTILE_KEY: otherKey, KEYSTILE_ISSUER: 'http://localhost:3000/other' }
      const { code, stderr } = await run(['restore', 'b.db'], env)
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^keystile: b\.db cannot be restored:\n- .* issuer .*\n- .* different key/,
      )
      assert.deepEqual(readFileSync(database), before)
      assert.deepEqual(readdirSync(cwd).toSorted(), ['b.db', 'keystile.db'])
    })
  })

  describe('a restored database', () => {
    it('a restored database accepts no token or session from before the restore', async () => {
      const first = await start()
      const [kept, ended] = [await first.tokens(), await first.tokens('grace')]
      await must('backup', 'b.db')
      await first.send('POST', '/revoke', { form: { token: ended.refreshToken } })
      const later = await first.tokens()
      await first.send('POST', '/revoke', { form: { token: later.refreshToken } })
      await stop()
      await must('restore', 'b.db')

      const second = await start()
      for (const { accessToken, refreshToken } of [kept, ended, later]) {
        assert.equal(await statusOf(second, accessToken), 401)
        assert.equal((await second.refresh(refreshToken)).status, 400)
      }
      assert.equal(await statusOf(second, await second.accessToken()), 200)
    })

    it('a restore ends all 1,200 sessions, although one statement cannot end so many', async () => {
      await start()
      query(
        database,
        `insert into session (id, subject, client_id, created_at, last_used_at, tokens_expire_at)
          with recursive n (i) as (select 1 union all select i + 1 from n where i < 1200)
          select 's' || i, 'ada', 'first-party', 0, 0, 0 from n`,
      )
      await must('backup', 'b.db')
      await stop()
      assert.equal((await must('restore', 'b.db'))['sessions_ended'], 1200)
      assert.deepEqual(query(database, 'select id from session where ended_at is null'), [])
    })

    it('a restored database has no key that was revoked after the backup', async () => {
      await start()
      await must('backup', 'b.db')
      const [leaked] = query(database, 'select id from signing_key')
      await must('key', 'revoke', String(leaked!['id']))
      await stop()
      const { revoked_key_ids: revoked } = await must('restore', 'b.db')

      assert.deepEqual(revoked, [leaked!['id']])
      const keys = query(database, 'select id from signing_key')
      assert.deepEqual([keys.length, keys[0]!['id'] === leaked!['id']], [1, false])
      const events = query(database, "select value from event where kind = 'key'")
      assert.deepEqual(events[0]!['value'], leaked!['id'])
    })

    it('a restore deletes waiting mails, and the links and codes of sent mails', async () => {
      const { tokens } = await start()
      const { subject } = await tokens()
      query(
        database,
        `insert into mail values ('waiting', 't', '${subject}', 'a@example.com', null, 0, 1e15, 0, 0,
          null, null), ('dead', 't', '${subject}', 'a@example.com', null, 0, 1e15, 9, 0, 1, 'x')`,
      )
      query(
        database,
        `insert into mail_proof (id, purpose, subject, mailbox, token_hash, counted_for, tries,
          created_at, expires_at) values ('p', 'password_reset', '${subject}', 'a', 'h', 'c', 0, 0, 1e15)`,
      )
      await must('backup', 'b.db')
      await stop()
      for (const flags of [[], ['--keep-sessions']]) {
        const told = await must('restore', 'b.db', ...flags)
        assert.deepEqual([told['mails_deleted'], told['links_deleted']], [1, 1])
        assert.deepEqual((told['revoked_key_ids'] as []).length, flags.length === 0 ? 1 : 0)
        assert.deepEqual(
          query(database, 'select id from mail union select id from mail_proof').map(
            ({ id }) => id,
          ),
          ['dead'],
        )
      }
    })

    it('a restore deletes all recovery codes, and says how many users need new ones', async () => {
      const clock = createTestClock(Date.now())
      const server = await startKeystile({ database, clock, secondFactor: 'optional' })
      running.push(server)
      const { nextCode, recoveryCodes } = await enrol(server, clock)
      await enrol(server, clock, 'bob')
      await must('backup', 'b.db')
      await stop()
      const { stdout } = await run(['restore', 'b.db'])
      assert.match(stdout, /\ndeleted 20 recovery codes of 2 users, .* must make new ones\n/)

      const restored = await startKeystile({ database, clock, secondFactor: 'optional' })
      running.push(restored)
      const refused = await restored.login({ recovery_code: recoveryCodes[0]! })
      assert.deepEqual([refused.status, refused.json['methods']], [403, ['otp']])
      assert.equal((await restored.login({ otp: nextCode() })).status, 200)
    })

    it('after a restore, a used link undoes the change of the address once more', async () => {
      const sent: string[] = []
      const mail: AppMail = {
        from: 'no-reply@example.com',
        send: ({ text }) => void sent.push(...(/undo-\S+token=(\S+)/.exec(text)?.slice(1) ?? [])),
      }
      const first = await start({ mail })
      const { accessToken: bearer } = await first.tokens()
      const json = { current_password: password, new_email: 'ada@new.example' }
      assert.equal((await first.send('POST', '/users/me/email', { bearer, json })).status, 204)
      await until(() => sent.length > 0)
      const undo = async ({ send }: TestKeystile): Promise<number> =>
        (await send('POST', '/email-changes/undo', { json: { token: sent[0] } })).status
      const address = (): unknown => query(database, 'select email from user')[0]!['email']

      await must('backup', 'b.db')
      assert.deepEqual([await undo(first), address()], [204, 'ada@example.com'])
      await stop()
      await must('restore', 'b.db')
      const second = await start({ mail })
      assert.equal(address(), 'ada@new.example')
      assert.deepEqual([await undo(second), address()], [204, 'ada@example.com'])
      assert.equal(await undo(second), 403)
    })

    it('a restored database gives new events higher numbers than the lost events had', async () => {
      const first = await start()
      const [before, after] = [await first.tokens(), await first.tokens()]
      const numbers = (): readonly number[] =>
        query(database, "select seq from event where kind != 'user' order by seq").map(({ seq }) =>
          Number(seq),
        )
      const end = async (refreshToken: string): Promise<void> => {
        await first.send('POST', '/revoke', { form: { token: refreshToken } })
        await until(() => numbers()[0] !== 0) // an event without a number
      }
      await end(before.refreshToken)
      await must('backup', 'b.db')
      await end(after.refreshToken)
      const lost = numbers().at(-1)!
      await stop()
      await must('restore', 'b.db')
      await start()
      const [old, ...fresh] = numbers()
      assert.ok(old! < lost && fresh.length === 2, String([old, lost, fresh]))
      assert.ok(fresh.every((seq) => seq > lost))
    })

    it('`keystile restore --keep-sessions` keeps the sessions and keys of the backup', async () => {
      const first = await start()
      const [kept, ended] = [await first.tokens(), await first.tokens('grace')]
      await must('backup', 'b.db')
      await first.send('POST', '/revoke', { form: { token: ended.refreshToken } })
      await stop()
      const { stdout } = await run(['restore', '--keep-sessions', 'b.db'])
      assert.match(stdout, /those that ended after the backup was made are valid again/)

      const second = await start()
      assert.equal(await statusOf(second, kept.accessToken), 200)
      assert.equal((await second.refresh(ended.refreshToken)).status, 200)
    })

    it('a restore writes an audit entry, and deletes the setting backed_up_at', async () => {
      const { tokens } = await start()
      await tokens()
      const { backed_up_at: at } = await must('backup', 'b.db')
      const marked = query(path('b.db'), "select value from setting where name = 'backed_up_at'")
      assert.equal(new Date(Number(marked[0]?.['value'])).toISOString(), at)
      await stop()
      const told = await must('restore', 'b.db')
      assert.deepEqual([told['backed_up_at'], told['sessions_ended']], [at, 1])
      const { stdout } = await run(['audit', '--json', '--limit', '1'])
      const { event, actor, detail } = JSON.parse(stdout) as Record<string, unknown>
      assert.deepEqual([event, actor], ['database_restored', 'operator'])
      assert.deepEqual(detail, {
        backed_up_at: at,
        sessions_ended: 1,
        revoked_key_ids: told['revoked_key_ids'],
      })
      assert.deepEqual(query(database, "select * from setting where name = 'backed_up_at'"), [])
    })

    it('a restore keeps a configured signing key, and warns that tokens stay valid', async () => {
      const jwk = makeOwnKey()
      const { tokens } = await start({ signingKey: jwk })
      const { accessToken } = await tokens()
      const env = { KEYSTILE_SIGNING_KEY_FILE: 'own.json', KEYSTILE_KEY: '' }
      const made = await run(['backup', 'b.db'], env)
      assert.match(made.stdout, /you also need the key of the setting signingKey\. It is/)
      const two = await run(['backup', 'c.db'], { KEYSTILE_SIGNING_KEY_FILE: 'own.json' })
      assert.match(two.stdout, /setting signingKey and the value of KEYSTILE_KEY\. They are not in/)
      query(database, "insert into authenticator_app values ('ada', 'confirmed', 'x', 0, 0, 0)")
      const withApp = await run(['backup', 'e.db'], env)
      assert.match(withApp.stdout, /setting signingKey and the value of KEYSTILE_KEY\./)
      query(database, 'delete from authenticator_app')
      writeFileSync(path('keystile.key'), key, { mode: 0o600 })
      const beside = await run(['backup', 'd.db'], env)
      assert.match(beside.stdout, /setting signingKey and the file \S*keystile\.key\. They are not/)
      await stop()
      const { stdout, stderr } = await run(['restore', 'b.db'], env)
      assert.equal(stderr, '')
      assert.match(stdout, /valid until they expire, because Keystile does not replace the key/)
      assert.equal(await statusOf(await start({ signingKey: jwk }), accessToken), 401)
    })
  })

  describe('keystile restore', () => {
    it('`keystile restore` fails while a process has the database open', async () => {
      await start()
      await must('backup', 'b.db')
      await mustFail(['restore', 'b.db'], /no process may use .*keystile\.db during a restore/)
      assert.deepEqual(
        readdirSync(cwd).filter((name) => /part|before/.test(name)),
        [],
      )
      await stop()
      await must('restore', 'b.db')
    })

    it('`keystile restore` keeps the old database and says how to read its audit log', async () => {
      const first = await start()
      await must('backup', 'b.db')
      const subject = await first.addUser({ username: 'grace', email: 'grace@example.com' })
      await first.disable(subject)
      await stop()
      const { stdout } = await run(['restore', 'b.db'])
      assert.match(stdout, /^restored \S+keystile\.db from b\.db\n/)
      assert.match(
        stdout,
        /\nthe database from before is \S+\nChanges after .* authenticator apps .*\nNow start .*\n$/,
      )
      const [, kept = '', since = ''] = /keystile audit --database (\S+) --since (\S+)/.exec(
        stdout,
      )!
      const audit = await run(['audit', '--database', kept, '--since', since, '--json'])
      assert.match(audit.stdout, /"event":"user_disabled"/)
      assert.equal(query(kept, 'pragma integrity_check')[0]!['integrity_check'], 'ok')
      assert.equal(query(database, 'select count(*) as n from user')[0]!['n'], 0)
    })

    it('`keystile restore` moves the WAL of a killed server into the old database', async () => {
      const env = { KEYSTILE_DATABASE: database, KEYSTILE_ISSUER: issuer, KEYSTILE_KEY: key }
      const server = await startServer({ cwd, env })
      try {
        await must('backup', 'b.db')
        const user = { username: 'ada', email: 'ada@example.com', password: 'an engine of her own' }
        const headers = { 'content-type': 'application/json' }
        const init = { method: 'POST', headers, body: JSON.stringify(user) }
        assert.equal((await fetch(`${server.url}/auth/users`, init)).status, 201)
      } finally {
        await server.stop('SIGKILL')
      }
      assert.ok(statSync(`${database}-wal`).size > 0)
      const { kept } = await must('restore', 'b.db')
      assert.equal(existsSync(`${database}-wal`), false)
      assert.equal(query(database, 'select count(*) as n from user')[0]!['n'], 0)
      assert.equal(query(String(kept), 'select username from user')[0]!['username'], 'ada')
    })

    it('`keystile restore` replaces a damaged database, and moves the WAL aside', async () => {
      await start()
      await must('backup', 'b.db')
      await stop()
      writeFileSync(database, 'this was a database'.repeat(1_000))
      writeFileSync(`${database}-wal`, 'and this was its log')
      const { stdout } = await run(['restore', 'b.db'])
      const [, kept = ''] = /the database from before is (\S+)\. It is damaged/.exec(stdout)!
      assert.equal(existsSync(`${database}-wal`), false)
      assert.equal(readFileSync(`${kept}-wal`, 'utf8'), 'and this was its log')
      assert.match(readFileSync(kept, 'utf8'), /^this was a database/)
      assert.equal(await statusOf(await start(), await (await start()).accessToken()), 200)
    })

    it('`keystile restore` creates a missing folder, and does not change the backup', async () => {
      await start()
      await must('backup', 'b.db')
      await stop()
      const before = readFileSync(path('b.db'))
      chmodSync(path('b.db'), 0o400)
      database = path('new/data/keystile.db')
      assert.equal((await must('restore', 'b.db'))['kept'], null)
      assert.equal(statSync(database).mode & 0o777, 0o600)
      assert.deepEqual(readFileSync(path('b.db')), before)
      await start()
    })

    it('`keystile restore` replaces the file behind a symbolic link, not the link', async () => {
      await start()
      await must('backup', 'b.db')
      await stop()
      mkdirSync(path('link'))
      symlinkSync(database, path('link/keystile.db'))
      const env = { KEYSTILE_DATABASE: 'link/keystile.db' }
      assert.equal((await run(['restore', 'b.db'], env)).code, 0)
      assert.deepEqual(readdirSync(path('link')), ['keystile.db'])
      assert.match((await run(['audit', '--json', '--limit', '1'])).stdout, /database_restored/)
      rmSync(database)
      const { stderr } = await run(['restore', 'b.db'], env)
      assert.match(stderr, /^keystile: the file behind the symbolic link link\S+ must exist/)
    })

    it('a restore of another program’s copy cannot say since when changes are lost', async () => {
      query(database, `vacuum into '${path('b.db')}'`)
      const { stdout } = await run(['restore', 'b.db'])
      const kept = readdirSync(cwd).find((name) => /^keystile\.db\.before-\d+T\d+Z$/.test(name))
      const end = `\nthe database from before is ${path(kept!)}\nNow start the server\n`
      assert.ok(stdout.endsWith(end), stdout)
      assert.equal(query(database, 'pragma journal_mode')[0]!['journal_mode'], 'delete')
    })

    it('`restore` fails if the database is in use; a failure leaves no draft', async () => {
      query(database, `vacuum into '${path('b.db')}'`)
      const trigger = `before insert on audit begin select raise(abort, 'no audit'); end`
      query(path('b.db'), `create trigger broken ${trigger}`)

      const sqlite = new DatabaseSync(database)
      sqlite.exec('select 1 from user') // opens the file
      await mustFail(['restore', 'b.db'], /no process may use .*keystile\.db during a restore/)
      sqlite.close()
      await mustFail(['restore', 'b.db'], /no audit/)
      assert.deepEqual(readdirSync(cwd).toSorted(), ['b.db', 'keystile.db'])
    })

    it('`keystile restore` refuses to restore a database from its own file', async () => {
      await start()
      await stop()
      await mustFail(['restore', 'keystile.db'], /must be another file than the database/)
    })
  })
})
