import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { exportPrivateJwk, generateKey } from 'keystile/jwt'
import pg from 'pg'
import {
  callCommand,
  freePort,
  startServer,
  type CommandOptions,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import { createTestClock, startKeystile } from '../../packages/server/test-support/keystile.ts'
import { startMailServer } from '../../packages/server/test-support/mail-server.ts'
import {
  createTestDatabase,
  howToGetPostgres,
  type TestDatabase,
} from '../../packages/server/test-support/postgres.ts'
import { enrol } from '../../packages/server/test-support/second-factor.ts'

const noPostgres =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
    ? false
    : `no PostgreSQL: ${howToGetPostgres}`
const key = 'a sealing key for tests: 0123456789 abcdef'

/** The output of `--json`. */
interface Report {
  readonly ok: boolean
  readonly findings: readonly Readonly<
    Record<'id' | 'severity' | 'standard' | 'message' | 'fix', string>
  >[]
  readonly checked: readonly string[]
}

describe('keystile doctor', () => {
  let cwd: string
  let port: string
  let made: string
  let server: RunningServer | undefined
  const keyFile = (): string => join(cwd, 'data/keystile.key')
  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-doctor-'))
    port = String(await freePort())
    made = mkdtempSync(join(tmpdir(), 'keystile-doctor-made-'))
    await (await startServer({ cwd: made, port: Number(port) })).stop()
  })
  afterEach(async () => {
    await server?.stop()
    server = undefined
    for (const name of readdirSync(cwd)) rmSync(join(cwd, name), { recursive: true })
  })
  after(() => {
    for (const folder of [cwd, made]) rmSync(folder, { recursive: true })
  })

  async function doctor(
    args: readonly string[] = [],
    env: CommandOptions['env'] = {},
  ): Promise<Report> {
    const { code, stdout, stderr } = await callCommand(
      ['doctor', '--json', '--port', port, ...args],
      { cwd, env },
    )
    assert.equal(stderr, '')
    assert.match(stdout, /^\{[^\n]*\}\n$/)
    const report = JSON.parse(stdout) as Report
    assert.deepEqual(Object.keys(report), ['ok', 'findings', 'checked'])
    const stops = report.findings.filter(({ severity }) => severity === 'stop')
    assert.equal(report.ok, stops.length === 0)
    assert.equal(code, report.ok ? 0 : 1)
    return report
  }

  const idsOf = ({ findings }: Report): readonly string[] => findings.map(({ id }) => id)
  /** Copies a database that `keystile serve` has created into the folder. */
  const makeDatabase = (): void => cpSync(made, cwd, { recursive: true, preserveTimestamps: true })
  /** Runs `keystile serve`, which must not start, and returns its error. */
  const refusal = async (
    args: readonly string[] = [],
    env: CommandOptions['env'] = {},
  ): Promise<string> => {
    const { code, stderr } = await callCommand(['serve', '--port', port, ...args], { cwd, env })
    assert.equal(code, 1)
    assert.match(stderr, /Keystile cannot start:/)
    return stderr
  }

  it('`keystile doctor` finds no fault in an empty folder and creates no file there', async () => {
    const { ok, findings, checked } = await doctor()
    assert.deepEqual([ok, findings], [true, []])
    assert.ok(checked.includes('issuer-https') && checked.includes('node-version'))
    assert.ok(!checked.includes('sqlite-durable') && !checked.includes('key-file-private'))
    assert.deepEqual(readdirSync(cwd), [])
  })

  it('`keystile doctor` checks files, database and clock of a running server', async () => {
    server = await startServer({ cwd, port: Number(port) })
    const { findings, checked } = await doctor()
    assert.deepEqual(findings, [])
    for (const id of [
      'key-file-private',
      'database-file-private',
      'database-opens',
      'issuer-stored',
      'sqlite-durable',
      ...(process.platform === 'linux' ? ['sqlite-local'] : []),
      'clock-right',
    ])
      assert.ok(checked.includes(id), id)
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
  })

  it('`keystile doctor` prints a fix and a standard with each finding', async () => {
    makeDatabase()
    chmodSync(keyFile(), 0o644)
    const { code, stdout, stderr } = await callCommand(['doctor', '--port', port], { cwd })
    assert.deepEqual([code, stderr], [1, ''])
    const page = readFileSync(join(import.meta.dirname, '../../docs/reference/doctor.md'), 'utf8')
    const [, shown] = /^```\n(stop .*?)^```$/ms.exec(page) ?? []
    // Only on Linux can the rule `sqlite-local` be checked.
    if (process.platform === 'linux') assert.equal(shown, stdout, 'docs/reference/doctor.md')
    assert.match(await refusal(), /\(key-file-private, ASVS 5\.0 13\.3\.2\)\n {4}fix: chmod 600/)
    const [, fix = ''] = /fix: (.*)/.exec(stdout) ?? []
    await promisify(execFile)('bash', ['-c', fix], { cwd })
    assert.deepEqual(idsOf(await doctor()), [])
    server = await startServer({ cwd, port: Number(port) })
  })

  it('`keystile doctor` finds a weak secret in a key file, and does not show it', async () => {
    makeDatabase()
    writeFileSync(keyFile(), 'hunter2')
    const report = await doctor()
    assert.deepEqual(idsOf(report), ['key-random', 'key-opens'])
    assert.ok(!JSON.stringify(report).includes('hunter2'))
    assert.match(await refusal(), /\(key-random, /)
  })

  it('`keystile doctor` and `serve` warn if other users can access a secret file', async () => {
    const secret = join(cwd, 'secret')
    const config = join(cwd, 'keystile.config.json')
    const jwk = JSON.stringify(exportPrivateJwk(generateKey('ES256')))
    const cases = [
      { file: secret, holds: key, args: [], env: { KEYSTILE_KEY_FILE: secret } },
      { file: secret, holds: jwk, args: [], env: { KEYSTILE_SIGNING_KEY_FILE: secret } },
      { file: secret, holds: jwk, args: ['--signing-key-file', secret], env: {} },
      { file: config, holds: JSON.stringify({ key }), args: [], env: {} },
    ]
    for (const { file, holds, args, env } of cases) {
      for (const mode of [0o644, 0o620, 0o600]) {
        writeFileSync(file, holds)
        chmodSync(file, mode)
        const report = await doctor(args, env)
        assert.deepEqual(
          idsOf(report),
          mode === 0o600 ? [] : ['secret-files-private'],
          `${file} ${mode.toString(8)}`,
        )
        assert.deepEqual(
          [report.ok, report.findings[0]?.fix ?? `chmod 600 ${file}`],
          [true, `chmod 600 ${file}`],
        )
      }
      chmodSync(file, 0o644)
      // doctor and serve find the files by the same code, so two starts are enough.
      if (file === config || 'KEYSTILE_KEY_FILE' in env) {
        server = await startServer({ cwd, port: Number(port), args, env })
        assert.match(server.stderr(), /"rule":"secret-files-private"/)
        await server.stop()
      }
      for (const name of readdirSync(cwd)) rmSync(join(cwd, name), { recursive: true })
    }
  })

  it('`keystile doctor` allows other users to read a settings file without secrets', async () => {
    writeFileSync(join(cwd, 'keystile.config.json'), JSON.stringify({ registration: 'closed' }), {
      mode: 0o644,
    })
    assert.deepEqual(idsOf(await doctor()), [])
  })

  it('`keystile doctor` warns if other users can read a database; `serve` fixes that', async () => {
    makeDatabase()
    const file = join(cwd, 'data/keystile.db')
    chmodSync(file, 0o644)
    assert.deepEqual(idsOf(await doctor()), ['database-file-private'])
    assert.equal(statSync(file).mode & 0o777, 0o644)
    server = await startServer({ cwd, port: Number(port) })
    await server.stop()
    assert.deepEqual(idsOf(await doctor()), [])
  })

  it('`keystile doctor` and `serve` warn if other users may replace the database', async () => {
    makeDatabase()
    const folder = join(cwd, 'data')
    chmodSync(folder, 0o777)
    const { ok, findings } = await doctor()
    assert.deepEqual(
      [ok, findings.map(({ id, fix }) => [id, fix])],
      [true, [['database-file-private', 'chmod go-w data']]],
    )
    server = await startServer({ cwd, port: Number(port) })
    assert.match(server.stderr(), /"rule":"database-file-private"/)
    await server.stop()
    chmodSync(folder, 0o700)
    assert.deepEqual(idsOf(await doctor()), [])
  })

  it('`keystile doctor` warns if the clock is behind the last write to the database', async () => {
    makeDatabase()
    const inAnHour = Date.now() / 1000 + 3600
    utimesSync(join(cwd, 'data/keystile.db'), inAnHour, inAnHour)
    const report = await doctor()
    assert.deepEqual(idsOf(report), ['clock-right'])
    assert.match(
      report.findings[0]!.message,
      /^the clock must not be behind the last write to the database; it is 3\d{3} s behind/,
    )
  })

  it('`keystile doctor` and `serve` refuse a database of another issuer', async () => {
    makeDatabase()
    const args = ['--issuer', 'http://localhost:1']
    const report = await doctor(args)
    assert.deepEqual(idsOf(report), ['issuer-stored'])
    assert.match(report.findings[0]!.fix, new RegExp(`^set --issuer=http://localhost:${port}, or`))
    assert.match(await refusal(args), /\(issuer-stored, RFC 8414 §3\.3\)/)
  })

  it('`keystile doctor` and `serve` refuse a key that cannot decrypt the database', async () => {
    makeDatabase()
    const other = { KEYSTILE_KEY: key }
    const report = await doctor([], other)
    assert.deepEqual(idsOf(report), ['key-opens'])
    assert.match(report.findings[0]?.message ?? '', /^KEYSTILE_KEY must be the key that encrypted/)
    assert.match(await refusal([], other), /\(key-opens, /)

    rmSync(keyFile())
    const missing = await doctor()
    assert.deepEqual(idsOf(missing), ['key-opens'])
    assert.match(missing.findings[0]?.message ?? '', /keystile\.key must be .*; it is missing$/)
    assert.match(await refusal(), /\(key-opens, /)
    assert.deepEqual(readdirSync(join(cwd, 'data')).includes('keystile.key'), false)
  })

  it('`doctor` and `serve` refuse a key that cannot decrypt authenticator apps', async () => {
    const signingKeyFile = join(cwd, 'own.json')
    const signingKey = exportPrivateJwk(generateKey('ES256'))
    writeFileSync(signingKeyFile, JSON.stringify(signingKey), { mode: 0o600 })
    mkdirSync(join(cwd, 'data'))
    const clock = createTestClock()
    const running = await startKeystile({
      issuer: `http://localhost:${port}`,
      database: join(cwd, 'data/keystile.db'),
      secondFactor: 'optional',
      signingKey,
      key,
      clock,
    })
    for (const name of ['ada', 'bob']) await enrol(running, clock, name)
    const { accessToken: bearer } = await running.tokens('eve')
    const pending = await running.send('POST', '/users/me/factors/totp', { bearer })
    assert.equal(pending.status, 200)
    await running.keystile.close()

    const own = { KEYSTILE_SIGNING_KEY_FILE: signingKeyFile }
    const other = { ...own, KEYSTILE_KEY: `${key}x` }
    const report = await doctor([], other)
    assert.deepEqual(idsOf(report), ['factor-key-opens'])
    assert.match(
      report.findings[0]?.message ?? '',
      /^KEYSTILE_KEY must .* of 2 apps, .* decrypt 2$/,
    )
    assert.match(report.findings[0]?.fix ?? '', /^give the key .* as KEYSTILE_PREVIOUS_KEY; if/)
    for (const env of [other, own]) assert.match(await refusal([], env), /\(factor-key-opens, /)
    for (const env of [
      { ...own, KEYSTILE_KEY: key },
      { ...other, KEYSTILE_PREVIOUS_KEY: key },
    ])
      assert.deepEqual(idsOf(await doctor([], env)), [])
    writeFileSync(keyFile(), key, { mode: 0o600 })
    assert.deepEqual(idsOf(await doctor([], own)), [])

    for (const name of ['ada', 'bob']) {
      const reset = await callCommand(['user', 'reset-factors', name], { cwd })
      assert.deepEqual([reset.code, reset.stderr], [0, ''])
    }
    assert.deepEqual(idsOf(await doctor([], other)), [])
  })

  it('`keystile doctor` connects to the mail server, and warns if it cannot be used', async () => {
    makeDatabase()
    const mails = await startMailServer()
    const env = (url: string): Record<string, string> => ({
      KEYSTILE_MAIL_URL: url,
      KEYSTILE_MAIL_FROM: 'no-reply@example.com',
    })
    const fine = await doctor([], env(mails.url))
    assert.deepEqual(idsOf(fine), [])
    assert.ok(fine.checked.includes('mail-reachable'))
    const refused = await doctor([], env(mails.url.replace('//', '//app:wrong-secret@')))
    assert.match(refused.findings[0]?.message ?? '', /; the mail server refuses the login$/)
    assert.doesNotMatch(JSON.stringify(refused), /wrong-secret/)

    await mails.close()
    const gone = await doctor([], env(mails.url))
    assert.deepEqual(idsOf(gone), ['mail-reachable'])
    assert.match(
      gone.findings[0]?.message ?? '',
      /^the mail server "127\.0\.0\.1", port \d+ must accept .*; the mail server does not run at/,
    )
    assert.match(gone.findings[0]?.fix ?? '', /^start the mail server, or correct host and port/)
  })

  it('`keystile doctor` reports a file that is not a database', async () => {
    mkdirSync(join(cwd, 'data'))
    writeFileSync(join(cwd, 'data/keystile.db'), 'x'.repeat(4096), { mode: 0o600 })
    const report = await doctor()
    assert.deepEqual(idsOf(report), ['database-opens'])
    assert.match(report.findings[0]!.message, /not a database/)
  })

  it('`keystile doctor` reports all faults of the settings, and shows no secret', async () => {
    const env = {
      KEYSTILE_PROT: '1',
      KEYSTILE_ACCESS_TOKEN_SECONDS: 'ten',
      KEYSTILE_KEY: 'hunter2',
      KEYSTILE_DATABASE: 'postgres://keystile:hunter2@127.0.0.1:1/keystile',
    }
    const report = await doctor(
      ['--host', '0.0.0.0', '--cors-origins', '*', '--grace-seconds', '60'],
      env,
    )
    assert.deepEqual(
      new Set(idsOf(report)),
      new Set([
        'settings-complete',
        'public-bind',
        'registration-said',
        'key-random',
        'cors-named',
        'proxies-said',
        'grace-short',
        'database-opens',
      ]),
    )
    assert.equal(idsOf(report).filter((id) => id === 'settings-complete').length, 2)
    assert.ok(!JSON.stringify(report).includes('hunter2'))
    assert.match(report.findings.find(({ id }) => id === 'database-opens')!.message, /ECONNREFUSED/)
  })

  it('`keystile doctor` names the flag, variable or property that gave a setting', async () => {
    const file = join(cwd, 'keystile.config.json')
    writeFileSync(file, JSON.stringify({ rateLimits: 'off' }), { mode: 0o600 })
    const online = { KEYSTILE_ISSUER: 'https://auth.example', KEYSTILE_REGISTRATION: 'closed' }
    const textOf = async (
      args: readonly string[],
      env: Readonly<Record<string, string>>,
    ): Promise<string> => {
      const { findings } = await doctor(args, { ...online, ...env })
      return findings.map(({ message, fix }) => `${message}; ${fix}`).join('\n')
    }
    assert.match(await textOf([], {}), /^rateLimits is off: .*; set rateLimits: 'on', unless/)
    assert.match(
      await textOf([], { KEYSTILE_RATE_LIMITS: 'off' }),
      /^KEYSTILE_RATE_LIMITS is off: .*; set KEYSTILE_RATE_LIMITS=on,/,
    )
    assert.match(
      await textOf(['--rate-limits', 'off'], {}),
      /^--rate-limits is off: .*; set --rate-limits=on,/,
    )
    const secret = join(cwd, 'secret')
    writeFileSync(secret, 'hunter2', { mode: 0o600 })
    assert.match(
      await textOf([], { KEYSTILE_KEY_FILE: secret }),
      /^KEYSTILE_KEY_FILE must have at least 32 random/,
    )
    assert.match(
      await textOf([], { KEYSTILE_KEY: 'hunter2' }),
      /^KEYSTILE_KEY must .*set KEYSTILE_KEY, or set KEYSTILE_KEY_FILE to/,
    )
  })

  it('if there are only warnings, `config check` exits with 0 and `serve` starts', async () => {
    const args = ['--access-token-seconds', '7200']
    assert.deepEqual(idsOf(await doctor(args)), ['access-token-short'])
    const checked = await callCommand(['config', 'check', ...args], { cwd })
    assert.equal(checked.code, 0)
    assert.match(
      checked.stdout,
      /^warning: --access-token-seconds is 7200.*\(access-token-short, RFC 6750 §5\.3\)\n/,
    )
    server = await startServer({ cwd, args })
    const logged = server
      .stderr()
      .split('\n')
      .find((line) => line.includes('access-token-short'))
    assert.equal((JSON.parse(logged!) as { level: number }).level, 40)
  })

  describe('keystile doctor on PostgreSQL', { skip: noPostgres }, () => {
    let database: TestDatabase
    before(async () => {
      const created = await createTestDatabase()
      assert.ok(created, howToGetPostgres)
      database = created
    })
    after(() => database.drop())
    const env = (): Record<string, string> => ({
      DATABASE_URL: database.url,
      KEYSTILE_KEY: key,
      KEYSTILE_ISSUER: `http://localhost:${port}`,
    })
    const ask = async (text: string): Promise<Readonly<Record<string, unknown>>> => {
      const client = new pg.Client(database.url)
      await client.connect()
      try {
        return (await client.query(text)).rows[0]
      } finally {
        await client.end()
      }
    }

    it('`keystile doctor` checks PostgreSQL and creates no table in it', async () => {
      const { fsync } = await ask('show fsync')
      const strict = { ...env(), KEYSTILE_DANGEROUSLY_ALLOW_LOST_COMMITS: 'false' }
      const isUnsafe = fsync === 'off'
      assert.equal(idsOf(await doctor([], strict)).includes('postgres-durable'), isUnsafe)
      const fresh = await doctor([], env())
      assert.ok(!idsOf(fresh).includes('postgres-durable'))
      for (const id of ['database-opens', 'issuer-stored', 'postgres-durable', 'clock-right'])
        assert.ok(fresh.checked.includes(id), id)
      assert.deepEqual(await ask(`select to_regnamespace('keystile') as tables`), { tables: null })
      if (isUnsafe)
        assert.match(
          await refusal([], strict),
          /PostgreSQL must have fsync on; it is off.*\n.*KEYSTILE_DANGEROUSLY_ALLOW_LOST_COMMITS=true/,
        )
      server = await startServer({ cwd, env: env(), port: Number(port) })
      assert.ok(!idsOf(await doctor([], env())).includes('issuer-stored'))
      assert.ok(
        idsOf(await doctor(['--issuer', 'http://localhost:1'], env())).includes('issuer-stored'),
      )
    })

    it('doctor and the start warn about a password in --database, and do not show it', async () => {
      const url = new URL(database.url)
      url.password = 'hunter2'
      const { DATABASE_URL: _url, ...others } = env()
      const args = ['--database', url.href]
      const report = await doctor(args, others)
      assert.ok(idsOf(report).includes('database-password-hidden'))
      const found = report.findings.find(({ id }) => id === 'database-password-hidden')
      assert.match(
        found!.fix,
        /^leave --database out, and set KEYSTILE_DATABASE, or set KEYSTILE_DATA/,
      )

      server = await startServer({ cwd, port: Number(port), args, env: others })
      assert.match(server.stderr() + server.stdout(), /--database must not contain a password/)
      assert.doesNotMatch(JSON.stringify(report) + server.stderr() + server.stdout(), /hunter2/)
      const asVariable = await doctor([], { ...others, DATABASE_URL: url.href })
      assert.ok(!idsOf(asVariable).includes('database-password-hidden'))
    })

    it('`keystile doctor` and `serve` refuse a wrong key for a PostgreSQL database', async () => {
      server = await startServer({ cwd, env: env(), port: Number(port) })
      const other = { ...env(), KEYSTILE_KEY: `${key}x` }
      assert.ok(idsOf(await doctor([], other)).includes('key-opens'))
      assert.match(await refusal([], other), /KEYSTILE_KEY must be .*\(key-opens, /)
      assert.ok(!idsOf(await doctor([], env())).includes('key-opens'))
    })

    it('the first `keystile serve` on a PostgreSQL database needs KEYSTILE_ISSUER', async () => {
      const fresh = await createTestDatabase()
      assert.ok(fresh, howToGetPostgres)
      try {
        const forgotten = { DATABASE_URL: fresh.url, KEYSTILE_KEY: key }
        assert.ok(idsOf(await doctor([], forgotten)).includes('issuer-given'))
        const said = await refusal([], forgotten)
        assert.match(said, /KEYSTILE_ISSUER must be given at the first start on PostgreSQL/)
        const [, local = ''] = /set (KEYSTILE_ISSUER=\S+)/.exec(said) ?? []
        assert.equal(local, `KEYSTILE_ISSUER=http://localhost:${port}`)

        const given = { ...forgotten, KEYSTILE_ISSUER: `http://localhost:${port}` }
        server = await startServer({ cwd, env: given, port: Number(port) })
        await server.stop()
        server = await startServer({ cwd, env: forgotten, port: Number(port) })
      } finally {
        await server?.stop()
        await fresh.drop()
      }
    })
  })
})
