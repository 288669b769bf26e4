// Tests of Keystile mounted in an app of each framework: Keystile answers its own endpoints, and
// the app answers all other requests.
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { after, before, describe, it } from 'node:test'
import type { createKeystile } from '@keystile/server'
import { startEmbedded } from '../../packages/server/test-support/whole-server.ts'
import { serve, type Received, type Sent, type Served } from './client.ts'
import { describeStreams } from './streams.ts'

export const password = 'an engine of her own'
const issuer = 'http://localhost:3000/auth'
const page = 'https://app.example'

export type Mounted = Awaited<ReturnType<typeof createKeystile<'items:read' | 'items:write'>>>

export async function create(database = ':memory:'): Promise<Mounted> {
  const { keystile } = await startEmbedded({
    issuer,
    database,
    scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
    defaultScopes: ['items:read'],
    cookieSession: true,
    corsOrigins: [page],
  })
  return keystile as Mounted
}

/**
 * Makes an app with `mount(keystile)` and these routes:
 *
 *     GET  /items     guard('items:read') -> {"owner": "<username>"}
 *     POST /echo      -> the JSON that was sent
 *     POST /auth/own  -> {"own": true}, below the issuer's path
 *     anything else   -> 404 {"missing": true}
 */
export type MountIn = (keystile: Mounted) => RequestListener | Promise<RequestListener>

/** @param ways the ways to mount Keystile, by their names */
export function describeMount(framework: string, ways: Readonly<Record<string, MountIn>>): void {
  const [first] = Object.values(ways)
  if (first) describeStreams(framework, first)

  let keystile: Mounted
  let users = 0
  before(async () => {
    keystile = await create()
  })
  after(() => keystile.close())

  for (const [way, mountIn] of Object.entries(ways)) {
    describe(`mount() in ${framework}, ${way}`, () => {
      let served: Served
      let username: string
      before(async () => {
        served = await serve(await mountIn(keystile))
        username = `ada${users++}`
        const { status, text } = await register()
        assert.equal(status, 201, text)
      })
      after(() => served.close())

      const send = (sent: Sent): Promise<Received> => served.send(sent)
      const postJson = (path: string, body: unknown): Promise<Received> =>
        send({
          method: 'POST',
          path,
          headers: ['Content-Type', 'application/json'],
          body: JSON.stringify(body),
        })
      const register = (): Promise<Received> =>
        postJson('/auth/users', { username, email: `${username}@example.com`, password })
      const postForm = (body: string): Promise<Received> => {
        const headers = ['Content-Type', 'application/x-www-form-urlencoded']
        return send({ method: 'POST', path: '/auth/token', headers, body })
      }
      const login = (): string => new URLSearchParams({ username, password }).toString()

      it('mount() lets a user register, log in with a form, and open a guarded route', async () => {
        const taken = await register()
        assert.deepEqual([taken.status, taken.headers['x-content-type-options']], [409, 'nosniff'])
        const { status, headers, text } = await postForm(login())
        assert.equal(status, 200, text)
        assert.equal(headers['x-content-type-options'], 'nosniff')
        assert.deepEqual(
          [headers['content-type'], headers['cache-control']],
          ['application/json', 'no-store'],
        )
        const { access_token, token_type } = JSON.parse(text) as Record<string, string>
        assert.equal(token_type, 'bearer')
        const authorization = ['Authorization', `Bearer ${access_token}`]
        for (let time = 0; time < 2; time++) {
          const items = await send({ path: '/items', headers: authorization })
          assert.deepEqual([items.status, JSON.parse(items.text)], [200, { owner: username }])
        }
        const me = await send({ path: '/auth/users/me?fresh', headers: authorization })
        assert.equal((JSON.parse(me.text) as { username: string }).username, username)
        assert.equal((await send({ path: '/items' })).status, 401)
      })

      it('mounted POST /token accepts a multipart form', async () => {
        const part = (name: string, value: string): string =>
          `--cut\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
        const body = `${part('username', username)}${part('password', password)}--cut--\r\n`
        const headers = ['Content-Type', 'multipart/form-data; boundary=cut']
        const { status, text } = await send({ method: 'POST', path: '/auth/token', headers, body })
        assert.equal(status, 200, text)
      })

      it('mounted POST /token uses a password exactly as it was sent', async () => {
        const name = `${username}-exact`
        const odd = ' +%2B&=;é中\u{1f511}[a]\u0000"'.repeat(2)
        const person = { username: name, email: `${name}@example.com`, password: odd }
        assert.equal((await postJson('/auth/users', person)).status, 201)
        const { status, text } = await postForm(
          new URLSearchParams({ username: name, password: odd }).toString(),
        )
        assert.equal(status, 200, text)
      })

      it('mounted POST /token returns an OAuth error code for a malformed form', async () => {
        for (const [body, error] of [
          [`username=${username}&password=wrong`, 'invalid_grant'],
          ['username=ada', 'invalid_request'],
          ['', 'invalid_request'],
          // A body parser may turn `username[a]` into an object. A user name must be a string.
          [`username[a]=${username}&password=${password}`, 'invalid_request'],
          ['grant_type=magic', 'unsupported_grant_type'],
        ] as const) {
          const { status, text } = await postForm(body)
          assert.equal(status, 400, text)
          assert.equal((JSON.parse(text) as { error: string }).error, error)
        }
      })

      // RFC 6749 §3.2. A body parser before Keystile must not hide a repeated parameter.
      for (const [name, more] of [
        ['same value', (own: string) => own],
        ['30 times', (own: string) => Array(30).fill(own).join('&')],
        ['empty value', (own: string) => own.replace(/=.*/, '=')],
      ] as const) {
        for (const parameter of ['username', 'password', 'scope', 'grant_type', 'unknown']) {
          it(`mounted POST /token refuses a repeated ${parameter} (${name})`, async () => {
            const values: Record<string, string> = {
              username,
              password,
              grant_type: 'password',
              scope: '',
            }
            const own = new URLSearchParams({ [parameter]: values[parameter] ?? 'x' }).toString()
            const { status, text } = await postForm(
              `${login()}&grant_type=password&scope=items:read&unknown=x&${more(own)}`,
            )
            assert.equal(status, 400, text)
            const { error, detail } = JSON.parse(text) as { error: string; detail: string }
            assert.deepEqual(
              [error, detail],
              ['invalid_request', 'Each parameter must appear only once; one appears twice'],
            )
          })
        }
      }

      it('mounted POST /token ignores an unknown parameter (RFC 6749 §3.2)', async () => {
        for (const unknown of ['a=b', 'constructor=x', '__proto__=x', 'a.b=c', '=x'])
          assert.equal((await postForm(`${login()}&${unknown}`)).status, 200, unknown)
      })

      // If a body parser has turned a parameter into a list or an object, Keystile cannot know what
      // the client sent.
      for (const nested of [
        'scope[]=items:read',
        'scope[a]=items:read',
        'scope[a][b]=c',
        'a[]=b',
        'a[b]=c',
      ]) {
        const isParsed = way.includes('extended: true')
        const verb = isParsed ? 'refuses' : 'ignores'
        it(`mounted POST /token ${verb} a parameter with brackets: ${nested}`, async () => {
          const { status, text } = await postForm(`${login()}&${nested}`)
          assert.equal(status, isParsed ? 400 : 200, text)
          if (isParsed)
            assert.equal((JSON.parse(text) as { error: string }).error, 'invalid_request')
        })
      }

      it('mounted POST /token ignores credentials in parameters with brackets', async () => {
        for (const body of [
          `username[]=${username}&password=${password}`,
          `username=${username}&password[]=${password}`,
          `username[0]=${username}&password[0]=${password}`,
          `username[]=${username}&username[]=${username}&password=${password}`,
        ]) {
          const { status, text } = await postForm(body)
          assert.deepEqual(
            [status, (JSON.parse(text) as { error: string }).error],
            [400, 'invalid_request'],
            body,
          )
        }
      })

      it('mounted endpoints refuse a list or an object in place of a string in JSON', async () => {
        for (const odd of [[username], [username, username], { 0: username }]) {
          const person = { username: odd, email: 'x@example.com', password }
          assert.equal((await postJson('/auth/users', person)).status, 422)
          const headers = ['Origin', page, 'Content-Type', 'application/json']
          const body = JSON.stringify({ username: odd, password })
          assert.equal(
            (await send({ method: 'POST', path: '/auth/session', headers, body })).status,
            422,
          )
        }
      })

      it('mounted endpoints refuse a body that is too long, and answer the next one', async () => {
        for (const [path, type] of [
          ['/auth/token', 'application/x-www-form-urlencoded'],
          ['/auth/users', 'application/json'],
        ] as const) {
          for (const length of [70_000, 2_000_000]) {
            const body = type.includes('json')
              ? JSON.stringify({ a: 'x'.repeat(length) })
              : `a=${'x'.repeat(length)}`
            const { status } = await send({
              method: 'POST',
              path,
              headers: ['Content-Type', type],
              body,
            })
            assert.equal(status, 413)
          }
        }
        assert.equal((await postForm(login())).status, 200)
      })

      it(
        'after a body that is too long, the connection closes or answers the next request',
        { timeout: 600_000 },
        async () => {
          const connection = served.connect()
          const body = `a=${'x'.repeat(3_000_000)}`
          const type = 'Content-Type: application/x-www-form-urlencoded'
          const length = `Content-Length: ${body.length}`
          connection.write(
            `POST /auth/token HTTP/1.1\r\nHost: x\r\n${type}\r\n${length}\r\n\r\n${body}`,
          )
          assert.equal((await connection.read()).status, 413)
          connection.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
          // The server may read the whole body and answer this request, or close the connection.
          const next = await connection.read().catch(() => undefined)
          assert.ok(next === undefined || next.status === 404)
          connection.socket.destroy()
        },
      )

      it('mount() serves the keys, and the metadata at two paths (RFC 8414 §3)', async () => {
        const keys = await send({ path: '/auth/.well-known/jwks.json' })
        assert.equal(keys.status, 200)
        assert.ok((JSON.parse(keys.text) as { keys: unknown[] }).keys.length > 0)
        for (const path of [
          '/.well-known/oauth-authorization-server/auth',
          '/auth/.well-known/oauth-authorization-server',
        ]) {
          const { status, text } = await send({ path })
          assert.equal(status, 200, path)
          assert.equal((JSON.parse(text) as { issuer: string }).issuer, issuer)
          const head = await send({ method: 'HEAD', path })
          assert.deepEqual([head.status, head.text], [200, ''])
        }
        assert.equal((await send({ method: 'DELETE', path: '/auth/token' })).status, 405)
      })

      it('mounted /session starts, refreshes and ends a session with a cookie', async () => {
        const origin = ['Origin', page]
        const begun = await send({
          method: 'POST',
          path: '/auth/session',
          headers: [...origin, 'Content-Type', 'application/json'],
          body: JSON.stringify({ username, password }),
        })
        assert.equal(begun.status, 200, begun.text)
        // Each cookie needs a separate Set-Cookie field: two of them cannot be joined by a comma.
        assert.deepEqual(
          setCookiesOf(begun).map((set) => set.split('=')[0]),
          ['__Secure-keystile', '__Secure-keystile-device', '__Secure-keystile-device'],
        )
        const cookie = ['Cookie', setCookiesOf(begun)[0]!.split(';')[0]!]
        const refresh = { method: 'POST', path: '/auth/session/refresh' }
        const refreshed = await send({ ...refresh, headers: [...origin, ...cookie] })
        assert.equal(refreshed.status, 200, refreshed.text)
        assert.match(
          setCookiesOf(refreshed)[0]!,
          /; Path=\/auth\/session; Secure; HttpOnly; SameSite=Strict$/,
        )
        // A client cannot avoid the check of the Origin or Cookie header by sending the header
        // twice.
        assert.equal(
          (await send({ ...refresh, headers: [...origin, ...origin, ...cookie] })).status,
          403,
        )
        assert.equal(
          (await send({ ...refresh, headers: [...origin, ...cookie, ...cookie] })).status,
          400,
        )
        const ended = await send({
          method: 'DELETE',
          path: '/auth/session',
          headers: [...origin, ...cookie],
        })
        assert.deepEqual([ended.status, ended.text], [204, ''])
        assert.equal((await send({ ...refresh, headers: [...origin, ...cookie] })).status, 400)
      })

      it('mount() answers preflights of listed origins, except for the app’s routes', async () => {
        const ask = (path: string, origin: string): Promise<Received> =>
          send({
            method: 'OPTIONS',
            path,
            headers: ['Origin', origin, 'Access-Control-Request-Method', 'POST'],
          })
        for (const path of [
          '/auth/token',
          '/auth/session',
          '/.well-known/oauth-authorization-server/auth',
        ]) {
          const { status, headers } = await ask(path, page)
          assert.deepEqual(
            [status, headers['access-control-allow-origin'], headers['vary']],
            [204, page, 'Origin'],
            path,
          )
        }
        assert.equal(
          (await ask('/auth/token', page)).headers['access-control-allow-methods'],
          'POST',
        )
        const { status, headers } = await ask('/auth/token', 'https://evil.example')
        assert.deepEqual([status, headers['access-control-allow-origin']], [405, undefined])
        for (const path of ['/echo', '/auth/own'])
          assert.equal(
            (await ask(path, page)).headers['access-control-allow-origin'],
            undefined,
            path,
          )
      })

      it('mount() leaves requests for all other paths to the app', async () => {
        const own = await postJson('/auth/own', {})
        assert.deepEqual([own.status, JSON.parse(own.text)], [200, { own: true }])
        const echo = await postJson('/echo', { a: ['b'] })
        assert.deepEqual([echo.status, JSON.parse(echo.text)], [200, { a: ['b'] }])
        for (const path of [
          '/',
          '/auth',
          '/auth/nothing',
          '/token',
          '/auth/token/',
          '/AUTH/token',
          '/auth//token',
        ]) {
          const { status, text } = await send({ path })
          assert.deepEqual([status, JSON.parse(text)], [404, { missing: true }], path)
        }
      })
    })
  }
}

/** Returns the Set-Cookie fields, which Node always gives as a list. */
function setCookiesOf({ headers }: Received): readonly string[] {
  return headers['set-cookie'] as unknown as readonly string[]
}
