import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  callCommand,
  freePort,
  startServer,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'

const password = 'an engine of her own'
/** Returns a string that must not appear in a log. In it, `where` tells which input leaked. */
const planted = (where: string): string => `s3cr3t-${where}-s3cr3t`
const json = { 'content-type': 'application/json' }

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | URLSearchParams
}

describe('the debug log of the server', () => {
  let cwd: string
  let server: RunningServer
  let accessToken: string
  let refreshToken: string
  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-log-'))
    server = await startServer({
      cwd,
      env: {
        KEYSTILE_LOG_LEVEL: 'debug',
        KEYSTILE_ACCESS_LOG: 'on',
        KEYSTILE_MAIL_URL: 'console:',
        KEYSTILE_MAIL_FROM: 'no-reply@example.com',
      },
    })
    const ada = { username: 'ada.lovelace', email: 'ada@example.com', password }
    await send('/users', { method: 'POST', headers: json, body: JSON.stringify(ada) })
    const body = new URLSearchParams({ username: ada.username, password })
    const tokens = (await (await send('/token', { method: 'POST', body })).json()) as Record<
      string,
      string
    >
    accessToken = tokens['access_token']!
    refreshToken = tokens['refresh_token']!
  })
  after(async () => {
    await server.stop()
    rmSync(cwd, { recursive: true })
  })

  async function send(path: string, sent: Sent = {}): Promise<Response> {
    return fetch(`${server.url}${path}`, sent)
  }

  it('the debug log contains no input, token, name or hash (ASVS V16.2.5)', async () => {
    const paths = [
      '/token',
      '/users',
      '/users/me',
      '/users/me/sessions',
      '/users/me/password',
      '/revoke',
      '/introspect',
      '/password-resets',
      '/password-resets/confirm',
      '/account/forgot-password',
      '/account/reset-password',
    ]
    paths.push(
      '/healthz',
      '/readyz',
      '/docs',
      '/metrics',
      '/openapi.json',
      '/.well-known/jwks.json',
    )
    paths.push(
      `/users/${planted('id')}`,
      `/users/me/sessions/${planted('session')}`,
      `/${planted('path')}`,
    )
    const headers = {
      cookie: `session=${planted('cookie')}`,
      'user-agent': planted('agent'),
      referer: `https://elsewhere.example/${planted('referer')}`,
      origin: `https://${planted('origin')}.example`,
      'x-request-id': planted('request'),
      'x-forwarded-for': planted('forwarded'),
    }
    const credentials = [
      { authorization: `Bearer ${accessToken}` },
      { authorization: `Bearer ${accessToken}x` },
      { authorization: `Bearer ${planted('bearer')}` },
      { authorization: `Bearer ${planted('two')} words` },
      { authorization: `Basic ${btoa(`${planted('client')}:${planted('basic')}`)}` },
      { authorization: planted('scheme') },
    ]
    const fields = {
      username: planted('name'),
      password: planted('password'),
      scope: planted('scope'),
    }
    const more = {
      email: `${planted('email')}@example.com`,
      current_password: planted('current'),
      new_password: 'short',
    }
    const bodies: readonly Sent[] = [
      { body: new URLSearchParams({ ...fields, grant_type: planted('grant') }) },
      {
        body: new URLSearchParams({
          ...fields,
          client_id: planted('id'),
          client_secret: planted('secret'),
        }),
      },
      {
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: planted('refresh'),
        }),
      },
      { body: new URLSearchParams({ token: planted('token'), new_password: planted('new') }) },
      { body: new URLSearchParams({ login: planted('login') }) },
      { headers: json, body: JSON.stringify({ login: 'ada@example.com' }) },
      {
        headers: json,
        body: JSON.stringify({
          request_id: planted('reset'),
          code: planted('code'),
          new_password: planted('new'),
        }),
      },
      {
        headers: json,
        body: JSON.stringify({ ...fields, ...more, [planted('member')]: planted('value') }),
      },
      { headers: json, body: `{"${planted('broken')}": ${planted('value')}` },
    ]
    const requests: Promise<Response>[] = []
    for (const path of paths) {
      const target = `${path}?token=${planted('query')}&after=${planted('after')}`
      for (const credential of credentials)
        requests.push(send(target, { headers: { ...headers, ...credential } }))
      for (const sent of bodies)
        requests.push(
          send(target, {
            ...sent,
            method: 'POST',
            headers: { ...headers, ...credentials[0], ...sent.headers },
          }),
        )
      await Promise.all(requests)
    }
    const shown = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
    const first = (await (await send('/token', { method: 'POST', body: shown })).json()) as {
      refresh_token: string
    }
    const next = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: first.refresh_token,
    })
    await send('/token', { method: 'POST', body: next })
    assert.equal((await send('/token', { method: 'POST', body: shown })).status, 400)
    await server.stop()
    const log = server.stderr()
    const lines = log.trimEnd().split('\n')
    assert.ok(lines.filter((line) => line.includes('"msg":"request"')).length > requests.length)
    assert.match(log, /"msg":"refused"/)
    assert.match(log, /its session was ended/)
    const leaks = [
      accessToken,
      accessToken.split('.')[1]!,
      refreshToken,
      refreshToken.split('.')[1]!,
      first.refresh_token,
    ]
    for (const secret of [
      ...leaks,
      password,
      'ada.lovelace',
      'ada@example.com',
      '$argon2',
      btoa(planted('client')).slice(0, 20),
    ])
      assert.ok(!log.includes(secret), secret)
    assert.deepEqual(log.match(/s3cr3t-\w+/g) ?? [], [])
    for (const line of lines) JSON.parse(line)
  })
})

describe('the settings for the log and the metrics', () => {
  it('`keystile config check` refuses wrong settings for the log and the metrics', async () => {
    const env = {
      KEYSTILE_LOG_LEVEL: 'loud',
      KEYSTILE_ACCESS_LOG: 'yes',
      KEYSTILE_METRICS: '127.0.0.1:99999',
    }
    const { code, stderr } = await callCommand(['config', 'check'], { cwd: tmpdir(), env })
    assert.equal(code, 1)
    assert.match(stderr, /KEYSTILE_LOG_LEVEL must be debug, info, warn or error; it is "loud"/)
    assert.match(stderr, /KEYSTILE_ACCESS_LOG must be on or off; it is "yes"/)
    assert.match(
      stderr,
      /KEYSTILE_METRICS must be on, off, or a host and a port such as 127\.0\.0\.1:9464/,
    )
  })

  it('by default, /metrics returns 404 unless the issuer’s host is localhost', async () => {
    const statusAt = async (
      env: Readonly<Record<string, string>>,
      origin?: string,
    ): Promise<number> => {
      const cwd = mkdtempSync(join(tmpdir(), 'keystile-metrics-'))
      const server = await startServer({ cwd, env: { KEYSTILE_DATABASE: ':memory:', ...env } })
      try {
        return (await fetch(`${origin ?? server.url}/metrics`)).status
      } finally {
        await server.stop()
        rmSync(cwd, { recursive: true })
      }
    }
    const proxied = { KEYSTILE_ISSUER: 'https://auth.example', KEYSTILE_REGISTRATION: 'closed' }
    const port = await freePort()
    assert.equal(await statusAt({}), 200)
    assert.equal(await statusAt({ KEYSTILE_METRICS: 'off' }), 404)
    assert.equal(await statusAt(proxied), 404)
    assert.equal(await statusAt({ ...proxied, KEYSTILE_METRICS: 'on' }), 200)
    assert.equal(
      await statusAt({ KEYSTILE_METRICS: `127.0.0.1:${port}` }, `http://127.0.0.1:${port}`),
      200,
    )
  })

  it('the server logs no requests by default', async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), 'keystile-quiet-'))
    t.after(() => rmSync(cwd, { recursive: true }))
    const server = await startServer({ cwd })
    t.after(() => server.stop())
    const response = await fetch(`${server.url}/healthz`)
    assert.equal(response.headers.get('x-request-id'), null)
    await server.stop()
    assert.ok(!server.stderr().includes('"msg":"request"'))
  })
})
