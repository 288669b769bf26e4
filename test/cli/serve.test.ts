import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { decodeJwtUnsafe, exportPrivateJwk, generateKey } from 'keystile/jwt'
import {
  callCommand,
  runCommand,
  startServer,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'

const password = 'an engine of her own'

describe('keystile serve', () => {
  let cwd: string
  const servers: RunningServer[] = []
  before(() => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-serve-'))
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop()
    rmSync(join(cwd, 'data'), { recursive: true, force: true })
    for (const file of ['keystile.config.json', 'keystile.config.ts'])
      rmSync(join(cwd, file), { force: true })
  })
  after(() => rmSync(cwd, { recursive: true }))

  async function start(
    options: Partial<Parameters<typeof startServer>[0]> = {},
  ): Promise<RunningServer> {
    const server = await startServer({ cwd, ...options })
    servers.push(server)
    return server
  }

  it('`keystile serve` prints its URL, data file path, and three commands to try', async () => {
    const { stdout, url } = await start()
    assert.ok(stdout().includes(`listens on ${url}`))
    assert.ok(stdout().includes('data/keystile.db'))
    const lines = stdout()
      .split('\n')
      .filter((line) => line.startsWith('  '))
    assert.equal(lines.length, 3)
    const { stdout: printed } = await promisify(execFile)('bash', [
      '-c',
      `set -e\n${lines.join('\necho\n')}`,
    ])
    const [registered, me] = printed.trim().split(/\n+/)
    assert.equal(JSON.parse(registered!).username, 'ada')
    assert.deepEqual(JSON.parse(me!), { ...JSON.parse(registered!), scopes: [], roles: [] })
  })

  it('with closed registration, `keystile serve` says how to add an administrator', async () => {
    const settings = ['--issuer', 'https://auth.example', '--registration', 'closed']
    const server = await start({ args: settings })
    assert.match(
      server.stdout(),
      /listens on http:\/\/localhost:\d+ {2}\(issuer https:\/\/auth\.example\)/,
    )
    assert.doesNotMatch(server.stdout(), /curl/)
    const lines = server.stdout().split('\n')
    const printed = lines.filter((line) => line.startsWith('  '))
    const [line = ''] = printed
    assert.deepEqual(printed, [
      '  npm run keystile -- user create NAME --email ADDRESS --role admin',
    ])

    writeFileSync(join(cwd, 'password'), password, { mode: 0o600 })
    const [, command = ''] = line.split(' -- ')
    const typed = command.replace('ADDRESS', 'ada@example.com')
    const args = [...typed.split(' '), '--password-file', 'password']
    const created = await callCommand([...args, ...settings], { cwd })
    assert.deepEqual([created.code, created.stderr], [0, ''])
    await server.stop()
    const again = await start({ args: settings })
    assert.match(again.stdout(), /\n {2}npm run keystile -- user create NAME --email ADDRESS\n/)
  })

  it('`keystile serve` answers on 127.0.0.1, and on ::1 if the machine has IPv6', async () => {
    const { url } = await start()
    const { port } = new URL(url)
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
    const six = await fetch(`http://[::1]:${port}/healthz`).then(
      (response) => response.status,
      (error: Error & { cause: { code: string } }) => error.cause.code,
    )
    assert.ok(six === 200 || six === 'EADDRNOTAVAIL' || six === 'EAFNOSUPPORT', String(six))
  })

  it('`keystile serve` returns 200 for /healthz and /readyz, 404 for unknown paths', async () => {
    const { url } = await start()
    const statusOf = async (path: string): Promise<number> => (await fetch(`${url}${path}`)).status
    assert.deepEqual(
      await Promise.all(['/healthz', '/readyz', '/nothing', '/'].map(statusOf)),
      [200, 200, 404, 404],
    )
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`at ${signal}, \`keystile serve\` answers pending requests and exits with 0`, async () => {
      const server = await start()
      // When the server asks for the body (100 Continue), the head of the request has arrived.
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        expect: '100-continue',
      }
      const login = request(`${server.url}/token`, { method: 'POST', headers })
      const answered = once(login, 'response') as Promise<[IncomingMessage]>
      login.flushHeaders()
      await once(login, 'continue')
      login.end(new URLSearchParams({ username: 'nobody', password }).toString())
      const [[response], code] = await Promise.all([answered, server.stop(signal)])
      assert.equal(response.statusCode, 400)
      assert.equal(code, 0)
      assert.match(server.stderr(), /"msg":"stopped"/)
    })
  }

  it('if SIGKILL ends `keystile serve`, no user whose registration got 201 is lost', async () => {
    const server = await start()
    const acknowledged: string[] = []
    const registering = Array.from({ length: 4 }, async (_, worker) => {
      for (let i = 0; ; i++) {
        const username = `user-${worker}-${i}`
        const body = JSON.stringify({ username, email: `${username}@example.com`, password })
        const response = await fetch(`${server.url}/users`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        }).catch(() => undefined)
        if (response?.status !== 201) return
        acknowledged.push(username)
        if (acknowledged.length >= 30) server.child.kill('SIGKILL')
      }
    })
    await Promise.all(registering)
    assert.ok(acknowledged.length >= 30)
    await server.stop()
    const { stdout } = await runCommand(['user', 'list', '--port', new URL(server.url).port], {
      cwd,
    })
    const kept = new Set(stdout.split('\n').map((line) => line.split('\t')[0]))
    assert.deepEqual(
      acknowledged.filter((username) => !kept.has(username)),
      [],
    )
  })

  it('`keystile serve` stops with a message if another program uses the port', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const { code, stderr } = await runCommand(['serve', '--port', String(port)], { cwd })
    taken.close()
    assert.equal(code, 1)
    assert.match(stderr, /EADDRINUSE/)
  })

  it('`keystile serve` on a public host needs the settings issuer and registration', async () => {
    const { code, stderr } = await callCommand(['serve', '--host', '0.0.0.0'], { cwd })
    assert.equal(code, 1)
    assert.match(stderr, /KEYSTILE_ISSUER must be given when the server listens on "0\.0\.0\.0"/)
    assert.match(stderr, /KEYSTILE_REGISTRATION must be given when listening on "0\.0\.0\.0"/)
  })

  it('`keystile serve` reports all faults of flags, environment and file in one run', async () => {
    writeFileSync(
      join(cwd, 'keystile.config.json'),
      JSON.stringify({ colour: 'red', scope: {}, defaultScopes: ['b'] }),
    )
    const env = {
      KEYSTILE_PROT: '1',
      KEYSTILE_ACCESS_TOKEN_SECONDS: 'ten',
      KEYSTILE_KEY_FILE: '/does/not/exist',
    }
    const { code, stderr, stdout } = await callCommand(
      ['serve', '--port', '0', '--registration', 'maybe'],
      {
        cwd,
        env,
      },
    )
    assert.equal(code, 1)
    assert.equal(stdout, '')
    for (const fault of [
      /"colour" is not a setting; "keystile help" lists the settings\n/,
      /KEYSTILE_PROT is not a setting; did you mean KEYSTILE_PORT\? "keystile help" lists the sett/,
      /"scope" is not a setting; did you mean scopes\? "keystile help" lists the settings\n/,
      /KEYSTILE_ACCESS_TOKEN_SECONDS must be a whole number; it is "ten"/,
      /KEYSTILE_KEY_FILE must name a file that can be read: \/does\/not\/exist does not exist\. Fix: create the file/,
      /--port must be at least 1; it is 0/,
      /--registration must be open or closed; it is "maybe"/,
    ]) {
      assert.match(stderr, fault)
    }
  })

  it('if the key file is missing, `serve` on PostgreSQL reports only this fault', async () => {
    const env = { DATABASE_URL: 'postgres://127.0.0.1:1/x', KEYSTILE_KEY_FILE: '/not/there' }
    const { stderr } = await callCommand(['serve'], { cwd, env })
    assert.equal(
      stderr,
      'keystile: Keystile cannot start:\n' +
        '  - KEYSTILE_KEY_FILE must name a file that can be read: /not/there does not exist. ' +
        'Fix: create the file, or correct the path\n',
    )
  })

  it('`keystile serve` prefers flags to the environment, and both to the config file', async () => {
    writeFileSync(
      join(cwd, 'keystile.config.json'),
      JSON.stringify({
        audience: 'file',
        accessTokenSeconds: 60,
        scopes: { 'a:b': 'A' },
        defaultScopes: ['a:b'],
      }),
    )
    const { url } = await start({
      env: {
        KEYSTILE_AUDIENCE: 'environment',
        KEYSTILE_ACCESS_TOKEN_SECONDS: '120',
        KEYSTILE_GRACE_SECONDS: '0',
      },
      args: ['--audience', 'flag'],
    })
    await fetch(`${url}/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ada', email: 'ada@example.com', password }),
    })
    const response = await fetch(`${url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ada', password }),
    })
    const answer = (await response.json()) as Record<
      'access_token' | 'refresh_token' | 'expires_in' | 'scope',
      string
    >
    assert.equal(decodeJwtUnsafe(answer.access_token).claims.aud, 'flag')
    assert.deepEqual([answer.expires_in, answer.scope], [120, 'a:b'])
    const refresh = async (): Promise<number> => {
      const body = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: answer.refresh_token,
      })
      return (await fetch(`${url}/token`, { method: 'POST', body })).status
    }
    assert.deepEqual([await refresh(), await refresh()], [200, 400])
  })

  it('`keystile serve` accepts several CORS origins, separated by commas', async () => {
    const allowed = async (
      args: readonly string[],
      env: Readonly<Record<string, string>>,
    ): Promise<unknown> => {
      const { url } = await start({ args: [...args, '--database', ':memory:'], env })
      const ask = async (origin: string): Promise<string | null> =>
        (await fetch(`${url}/token`, { method: 'POST', headers: { origin } })).headers.get(
          'access-control-allow-origin',
        )
      return Promise.all(['https://a.example', 'https://b.example', 'https://c.example'].map(ask))
    }
    const env = { KEYSTILE_CORS_ORIGINS: 'https://a.example, https://b.example' }
    assert.deepEqual(await allowed([], env), ['https://a.example', 'https://b.example', null])
    assert.deepEqual(await allowed(['--cors-origins', 'https://c.example'], env), [
      null,
      null,
      'https://c.example',
    ])
  })

  it('with cookieSession, `keystile serve` accepts its own origin and CORS origins', async () => {
    const origin = 'http://localhost:5173'
    const env = { KEYSTILE_COOKIE_SESSION: 'true', KEYSTILE_CORS_ORIGINS: origin }
    const refresh = async (url: string, from: string): Promise<readonly unknown[]> => {
      const headers = { origin: from }
      const response = await fetch(`${url}/session/refresh`, { method: 'POST', headers })
      return [response.status, response.headers.get('access-control-allow-credentials')]
    }
    const { url } = await start({ env })
    assert.deepEqual(await refresh(url, url), [400, null]) // there is no cookie
    assert.deepEqual(await refresh(url, origin), [400, 'true'])
    assert.deepEqual(await refresh(url, 'http://localhost:5174'), [403, null])
    const endpoint = async (url: string): Promise<unknown> => {
      const metadata = await fetch(`${url}/.well-known/oauth-authorization-server`)
      return ((await metadata.json()) as Record<string, unknown>)['keystile_session_endpoint']
    }
    assert.equal(await endpoint(url), `${url}/session`)
    const without = await start({ args: ['--database', ':memory:'] })
    assert.deepEqual(await refresh(without.url, without.url), [404, null])
    assert.equal(await endpoint(without.url), undefined)
  })

  it('`keystile serve` and `doctor` refuse cookieSession for a remote http issuer', async () => {
    const env = {
      KEYSTILE_ISSUER: 'http://auth.internal',
      KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER: 'true',
      KEYSTILE_REGISTRATION: 'closed',
      KEYSTILE_COOKIE_SESSION: 'true',
    }
    const message = 'KEYSTILE_COOKIE_SESSION must be false unless KEYSTILE_ISSUER is an https URL'
    const refused = await callCommand(['serve'], { cwd, env })
    assert.equal(refused.code, 1)
    assert.ok(refused.stderr.includes(message), refused.stderr)
    const doctor = await callCommand(['doctor', '--json'], { cwd, env })
    assert.ok(doctor.stdout.includes('cookie-https'), doctor.stdout)

    const wrong = { KEYSTILE_COOKIE_SESSION: 'yes' }
    const { stderr } = await callCommand(['serve'], { cwd, env: wrong })
    assert.match(stderr, /KEYSTILE_COOKIE_SESSION must be true or false; it is "?yes/)
  })

  it('`keystile serve` reads a .ts configuration and a key file, and writes a log', async () => {
    writeFileSync(
      join(cwd, 'keystile.config.ts'),
      `const audience: string = 'typed'\nexport default { audience }\n`,
    )
    writeFileSync(
      join(cwd, 'signing.jwk'),
      JSON.stringify(exportPrivateJwk(generateKey('EdDSA', { keyId: 'from-file' }))),
    )
    const server = await start({
      env: { KEYSTILE_SIGNING_KEY_FILE: 'signing.jwk', KEYSTILE_LOG_FILE: 'logs/keystile.log' },
    })
    const keys = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[]
    }
    assert.deepEqual(
      keys.keys.map(({ kid }) => kid),
      ['from-file'],
    )
    assert.equal(server.stderr(), '')
    assert.match(readFileSync(join(cwd, 'logs/keystile.log'), 'utf8'), /"msg":"listening"/)
  })

  it('`keystile config check` accepts the examples in docs/reference/settings.md', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/reference/settings.md'), 'utf8')
    for (const kind of ['ts', 'json']) {
      const [, content = ''] = new RegExp(`^\`{3}${kind}\\n(.*?)^\`{3}$`, 'ms').exec(page) ?? []
      assert.match(content, /orders:write/)
      const file = join(cwd, `keystile.config.${kind}`)
      writeFileSync(file, content)
      const { code, stderr } = await callCommand(['config', 'check'], { cwd })
      assert.deepEqual([code, stderr], [0, ''], kind)
      rmSync(file)
    }
  })

  it('`keystile serve` logs no password, token or Authorization header', async () => {
    const server = await start()
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer secret.bearer.value',
    }
    await fetch(`${server.url}/users`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ username: 'ada', email: 'ada@example.com', password }),
    })
    const login = await fetch(`${server.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ada', password }),
    })
    const { access_token } = (await login.json()) as { access_token: string }
    await fetch(`${server.url}/users/me`, { headers: { authorization: `Bearer ${access_token}x` } })
    await server.stop()
    for (const secret of [password, access_token, 'secret.bearer.value', 'ada@example.com'])
      assert.ok(!server.stderr().includes(secret), secret)
  })
})

describe('keystile', () => {
  it('keystile lists its commands, and reports an unknown command, flag or argument', async () => {
    const cwd = tmpdir()
    for (const args of [[], ['help'], ['--help']]) {
      const { code, stdout } = await callCommand(args, { cwd })
      assert.equal(code, 0)
      assert.match(stdout, /user create NAME/)
    }
    for (const [args, expected] of [
      [['sreve'], /no command "sreve"/],
      [['user'], /user must be followed by one of create, list, grant, disable/],
      [['user', 'constructor'], /user must be followed by one of/],
      [['serve', '--colour', 'red'], /--colour/],
      [['serve', 'now'], /the command must be: keystile serve/],
    ] as const) {
      const { code, stdout, stderr } = await callCommand(args, { cwd })
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, expected)
      assert.doesNotMatch(stderr, /\n {4}at /, 'no stack')
    }
  })

  it('`keystile --version` prints a version; piped `keystile help` has no bold text', async () => {
    const cwd = tmpdir()
    assert.match((await runCommand(['--version'], { cwd })).stdout, /^\d+\.\d+\.\d+\n$/)
    assert.ok(!(await callCommand(['help'], { cwd })).stdout.includes('\u001b'))
  })

  it('`keystile config check` reports all faults of the settings and starts nothing', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'keystile-check-'))
    const fine = await callCommand(
      ['config', 'check', '--issuer', 'https://auth.example', '--registration', 'closed'],
      {
        cwd,
      },
    )
    assert.deepEqual([fine.code, fine.stderr], [0, ''])
    assert.match(fine.stdout, /settings are fine: https:\/\/auth\.example/)
    const wrong = await callCommand(
      [
        'config',
        'check',
        '--issuer',
        'http://auth.example',
        '--access-token-seconds',
        '1',
        '--grace-seconds',
        '61',
      ],
      {
        cwd,
        env: {
          KEYSTILE_SESSION_SECONDS: '1',
          KEYSTILE_IDLE_SECONDS: 'long',
          KEYSTILE_PASSWORD_MIN_LENGTH: '7',
          KEYSTILE_PASSWORD_HASHING: 'm=19456,t=1',
          KEYSTILE_CORS_ORIGINS: 'https://a.example, *,http://b.example',
        },
      },
    )
    assert.equal(wrong.code, 1)
    for (const fault of [
      /--issuer must be an https URL/,
      /KEYSTILE_REGISTRATION must be given/,
      /--access-token-seconds must be at least 10; it is 1/,
      /--grace-seconds must be at most 60; it is 61/,
      /KEYSTILE_SESSION_SECONDS must be at least 60/,
      /KEYSTILE_IDLE_SECONDS must be a whole number/,
      /KEYSTILE_PASSWORD_MIN_LENGTH must be at least 8/,
      /KEYSTILE_PASSWORD_HASHING must have memoryKiB: 47104 or more for passes: 1/,
      /KEYSTILE_CORS_ORIGINS must .*; it has "\*"/,
      /KEYSTILE_CORS_ORIGINS must list https origins.*; it has "http:\/\/b\.example"/,
    ])
      assert.match(wrong.stderr, fault)
    assert.equal(existsSync(join(cwd, 'data')), false)
    rmSync(cwd, { recursive: true })
  })

  it('`keystile migrate` creates the tables, and does nothing the second time', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'keystile-migrate-'))
    for (const _ of ['first', 'second']) {
      const { code, stdout, stderr } = await callCommand(['migrate'], { cwd })
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, /the tables are up to date: .*keystile\.db/)
    }
    const { code } = await callCommand(['user', 'list'], { cwd })
    assert.equal(code, 0)
    rmSync(cwd, { recursive: true })
  })

  it('`keystile completion` completes commands and flags in bash', async () => {
    const cwd = tmpdir()
    const { stdout: script } = await callCommand(['completion', 'bash'], { cwd })
    const complete = async (...words: readonly string[]): Promise<readonly string[]> => {
      const typed = words.map((word) => `'${word}'`).join(' ')
      const ask = [
        script,
        `COMP_WORDS=(keystile ${typed}); COMP_CWORD=${words.length}`,
        '_keystile; echo "${COMPREPLY[@]}"',
      ].join('\n')
      return (await promisify(execFile)('bash', ['-c', ask])).stdout.trim().split(' ')
    }
    assert.deepEqual(await complete('se'), ['serve'])
    assert.deepEqual(await complete('user', 'd'), ['disable', 'delete'])
    assert.deepEqual(await complete('user', 'create', 'ada', '--password-f'), ['--password-file'])
    assert.ok((await complete('serve', '--')).includes('--issuer'))
    assert.deepEqual(await complete('token', ''), ['check'])
    assert.deepEqual(await complete('token', 'check', '--aud'), ['--audience', '--audience-claim'])
    for (const shell of ['zsh', 'fish'])
      assert.match((await callCommand(['completion', shell], { cwd })).stdout, /keystile/)
    assert.match((await callCommand(['completion', 'tcsh'], { cwd })).stderr, /bash, zsh or fish/)
  })
})
