import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  issuer,
  password,
  type Answer,
  type SendOptions,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'

const name = '__Secure-keystile'
const { origin } = new URL(issuer)
const attributes = 'Path=/auth/session; Secure; HttpOnly; SameSite=Strict'
const cleared = `${name}=; Max-Age=0; ${attributes}`
const listed = 'https://app.example'

/** Keystile, and requests as a browser sends them: with an `Origin` and the given cookie. */
interface Browser extends TestKeystile {
  readonly post: (json: object, headers?: SendOptions['headers']) => Promise<Answer>
  readonly refreshBy: (cookie?: string, headers?: SendOptions['headers']) => Promise<Answer>
  /** @param query the query of `DELETE /session` */
  readonly logout: (
    cookie?: string,
    headers?: SendOptions['headers'],
    query?: string,
  ) => Promise<Answer>
}

async function startBrowser(
  stage: Stage,
  options: Parameters<Stage['start']>[0] = {},
): Promise<Browser> {
  const started = await stage.start({ cookieSession: true, ...options })
  const send = (
    method: string,
    path: string,
    cookie?: string,
    more?: SendOptions,
  ): Promise<Answer> =>
    started.send(method, path, {
      ...more,
      headers: { origin, ...(cookie !== undefined && { cookie }), ...more?.headers },
    })
  return {
    ...started,
    post: (json, headers = {}) => send('POST', '/session', undefined, { json, headers }),
    refreshBy: (cookie, headers = {}) => send('POST', '/session/refresh', cookie, { headers }),
    logout: (cookie, headers = {}, query = '') =>
      send('DELETE', `/session${query}`, cookie, { headers }),
  }
}

/** Returns the cookie as a browser sends it back. */
function cookieOf({ headers }: Answer): string {
  return headers.get('set-cookie')!.split(';')[0]!
}

/** Returns the session id of an access token. */
function sidOf(bearer: string): string {
  return String(decodeJwtUnsafe(bearer).claims['sid'])
}

describeOnBoth(
  'a cookie session',
  (stage) => {
    const ada = { username: 'ada', password }

    it('POST /session returns the refresh token only in the cookie', async () => {
      const { addUser, post, open } = await startBrowser(stage)
      const subject = await addUser({ username: 'ada' })
      const answer = await post(ada)
      const { status, headers, json, text } = answer
      assert.equal(status, 200, text)
      assert.deepEqual(Object.keys(json), ['access_token', 'token_type', 'expires_in', 'scope'])
      assert.deepEqual([json['token_type'], json['expires_in'], json['scope']], ['bearer', 600, ''])
      assert.deepEqual(
        [headers.get('content-type'), headers.get('cache-control')],
        ['application/json', 'no-store'],
      )
      const [, value] = /^__Secure-keystile=([\w-]{22}\.[\w-]{43}); (.*)$/.exec(
        headers.get('set-cookie')!,
      )!
      assert.equal(headers.get('set-cookie'), `${name}=${value}; Max-Age=1209600; ${attributes}`)
      assert.ok(!text.includes(value!))
      const { claims } = decodeJwtUnsafe(json['access_token'])
      assert.deepEqual([claims['sub'], claims['client_id']], [subject, 'first-party'])
      assert.equal((await open([], { bearer: json['access_token'] })).status, 200)
    })

    it('the session cookie expires no later than its session', async () => {
      for (const [options, seconds] of [
        [{ sessionSeconds: 100, idleSeconds: 200 }, 100],
        [{ sessionSeconds: 200, idleSeconds: 90 }, 90],
      ] as const) {
        const { addUser, post } = await startBrowser(stage, options)
        await addUser({ username: `ada${seconds}`, email: `ada${seconds}@example.com` })
        const { headers } = await post({ username: `ada${seconds}`, password })
        assert.match(headers.get('set-cookie')!, new RegExp(`; Max-Age=${seconds};`))
      }
    })

    it('POST /session/refresh sets a new cookie; a reused cookie ends the session', async () => {
      const clock = createTestClock()
      const { addUser, post, refreshBy, send, open } = await startBrowser(stage, { clock })
      await addUser({ username: 'ada' })
      const first = cookieOf(await post(ada, { 'user-agent': 'Navigator' }))
      const answer = await refreshBy(`theme=dark; ${first}; other=1`)
      assert.equal(answer.status, 200, answer.text)
      assert.deepEqual(Object.keys(answer.json), [
        'access_token',
        'token_type',
        'expires_in',
        'scope',
      ])
      const second = cookieOf(answer)
      assert.notEqual(second, first)
      assert.equal(answer.headers.get('set-cookie'), `${second}; Max-Age=1209600; ${attributes}`)
      // Two tabs that refresh at the same time get the same cookie.
      assert.equal(cookieOf(await refreshBy(first)), second)
      const bearer = answer.json['access_token']
      const { json } = await send('GET', '/users/me/sessions', { bearer })
      assert.deepEqual(
        json['sessions'].map((session: Record<string, unknown>) => [
          session['device'],
          session['client_id'],
        ]),
        [['Navigator', 'first-party']],
      )
      const third = await refreshBy(second)
      assert.equal(third.status, 200)
      // A reuse ends the session, for its owner and for a thief.
      clock.advance(11)
      const reused = await refreshBy(first)
      assert.deepEqual([reused.status, reused.json['error']], [400, 'invalid_grant'])
      assert.equal(reused.headers.get('set-cookie'), cleared)
      assert.equal((await refreshBy(cookieOf(third))).status, 400)
      assert.equal((await open([], { bearer })).status, 401)
    })

    it('POST /session/refresh refuses a wrong cookie and clears it', async () => {
      const { addUser, post, refreshBy, disable } = await startBrowser(stage)
      const subject = await addUser({ username: 'ada' })
      const cookie = cookieOf(await post(ada))
      const bad = [
        `${name}=`,
        `${name}=x`,
        `${name}="${cookie.split('=')[1]}"`,
        `${cookie}x`,
        `${cookie}, a=b`,
        cookie.replace('.', '%2e'),
      ]
      for (const sent of bad) {
        const { status, json, headers } = await refreshBy(sent)
        assert.deepEqual(
          [status, json['error'], headers.get('set-cookie')],
          [400, 'invalid_grant', cleared],
          sent,
        )
      }
      const value = cookie.slice(name.length + 1)
      const none: readonly (string | undefined)[] = [
        undefined,
        '',
        'a=b',
        `__secure-keystile=${value}`,
        `keystile=${value}`,
        `x${cookie}`,
        name,
      ]
      for (const sent of none) {
        const { status, json, headers } = await refreshBy(sent)
        assert.deepEqual(
          [status, json['error'], headers.get('set-cookie')],
          [400, 'invalid_grant', null],
          String(sent),
        )
      }
      // None of these requests has used the cookie.
      const answer = await refreshBy(cookie)
      assert.equal(answer.status, 200)
      await disable(subject)
      assert.equal((await refreshBy(cookieOf(answer))).headers.get('set-cookie'), cleared)
    })

    it('POST /session/refresh refuses two cookies with one name, and uses neither', async () => {
      const { addUser, post, refreshBy } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      await addUser({ username: 'mallory', email: 'mallory@example.com' })
      const own = cookieOf(await post(ada))
      const tossed = cookieOf(await post({ username: 'mallory', password }))
      for (const twice of [
        `${own}; ${tossed}`,
        `${tossed}; ${own}`,
        `${own}; ${own}`,
        `${own};a=b;${name}=`,
      ]) {
        const answer = await refreshBy(twice)
        assert.deepEqual([answer.status, answer.json['error']], [400, 'invalid_grant'], twice)
        assert.match(answer.json['detail'], /must have one cookie/)
        assert.equal(answer.headers.get('set-cookie'), null)
      }
      for (const cookie of [own, tossed]) assert.equal((await refreshBy(cookie)).status, 200)
    })

    it('DELETE /session ends the sessions of two cookies with the same name', async () => {
      const { addUser, post, refreshBy, logout } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      await addUser({ username: 'mallory', email: 'mallory@example.com' })
      for (const ownFirst of [true, false]) {
        const [own, tossed] = [
          cookieOf(await post(ada)),
          cookieOf(await post({ username: 'mallory', password })),
        ]
        const { status, headers } = await logout(
          ownFirst ? `${own}; ${tossed}` : `${tossed}; ${own}`,
        )
        assert.deepEqual([status, headers.get('set-cookie')], [204, cleared])
        for (const cookie of [own, tossed]) assert.equal((await refreshBy(cookie)).status, 400)
      }
    })

    it('with two cookies, DELETE /session?sid ends only the session that sid names', async () => {
      const { addUser, post, refreshBy, logout } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      const [one, other] = [await post(ada), await post(ada)]
      const query = `?sid=${sidOf(one.json['access_token'])}`
      const { status, headers } = await logout(`${cookieOf(other)}; ${cookieOf(one)}`, {}, query)
      assert.deepEqual([status, headers.get('set-cookie')], [204, cleared])
      assert.equal((await refreshBy(cookieOf(one))).status, 400)
      assert.equal((await refreshBy(cookieOf(other))).status, 200)
    })

    it('DELETE /session?sid refuses the cookie of another session and clears nothing', async () => {
      const { addUser, post, refreshBy, logout, open } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      await addUser({ username: 'bob', email: 'bob@example.com' })
      const bearer = (await post(ada)).json['access_token']
      const cookie = cookieOf(await post({ username: 'bob', password }))
      for (const sent of [cookie, undefined, `${name}=x`]) {
        const answer = await logout(sent, {}, `?sid=${sidOf(bearer)}`)
        assert.deepEqual([answer.status, answer.json['error']], [400, 'invalid_grant'], answer.text)
        assert.match(answer.json['detail'], /must belong to the session that sid names/)
        assert.equal(answer.headers.get('set-cookie'), null)
      }
      assert.equal((await open([], { bearer })).status, 200)
      assert.equal((await refreshBy(cookie)).status, 200)
    })

    it('DELETE /session ends the session, and always clears the cookie', async () => {
      const { addUser, post, refreshBy, logout, open } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      const answer = await post(ada)
      const other = cookieOf(await post(ada))
      const cookie = cookieOf(answer)
      for (const sent of [undefined, `${name}=x`, cookie, cookie]) {
        const { status, text, headers } = await logout(sent)
        assert.deepEqual([status, text, headers.get('set-cookie')], [204, '', cleared])
        assert.equal(headers.get('cache-control'), 'no-store')
      }
      const { status, json } = await open([], { bearer: answer.json['access_token'] })
      assert.deepEqual([status, json['detail']], [401, 'Token has been revoked'])
      assert.equal((await refreshBy(cookie)).status, 400)
      assert.equal((await refreshBy(other)).status, 200)
    })

    it('DELETE /session ends the session even if a refresh has replaced the cookie', async () => {
      const { addUser, post, refreshBy, logout } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      const cookie = cookieOf(await post(ada))
      const next = cookieOf(await refreshBy(cookie))
      assert.equal((await logout(cookie)).status, 204)
      assert.equal((await refreshBy(next)).status, 400)
    })

    const otherOrigins: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
      ['no Origin', {}],
      ['an empty Origin', { origin: '' }],
      ['null', { origin: 'null' }],
      ['another host', { origin: 'https://evil.example' }],
      ['another port', { origin: 'http://localhost:3001' }],
      ['another scheme', { origin: 'https://localhost:3000' }],
      ['an origin with a path', { origin: `${origin}/` }],
      ['the URL of the issuer', { origin: issuer }],
      ['a host that begins with the issuer’s host', { origin: `${origin}.evil.example` }],
      ['a scheme in capital letters', { origin: 'HTTP://localhost:3000' }],
      ['the issuer’s origin twice', { origin: `${origin}, ${origin}` }],
      ['the issuer’s origin and another origin', { origin: `${origin}, https://evil.example` }],
      ['*', { origin: '*' }],
      ['the issuer’s origin in other headers', { referer: `${origin}/`, host: 'localhost:3000' }],
    ]
    it('the /session endpoints refuse a page from another origin', async () => {
      const { addUser, post, refreshBy, send } = await startBrowser(stage, {
        corsOrigins: [listed],
      })
      await addUser({ username: 'ada' })
      let cookie = cookieOf(await post(ada))
      for (const [title, headers] of otherOrigins) {
        const answers = [
          await send('POST', '/session', { json: ada, headers }),
          await send('POST', '/session', { body: 'unread', headers }),
          await send('POST', '/session/refresh', { headers: { ...headers, cookie } }),
          await send('POST', '/session/refresh', {
            headers: { ...headers, cookie: `${cookie}; ${cookie}` },
          }),
          await send('DELETE', '/session', { headers: { ...headers, cookie } }),
          await send('DELETE', '/session', { headers }),
        ]
        for (const { status, json, headers: answered } of answers) {
          assert.deepEqual([status, json['error']], [403, 'invalid_request'], title)
          assert.equal(json['detail'], `The Origin must be one of ${origin}, ${listed}`, title)
          for (const header of [
            'set-cookie',
            'access-control-allow-origin',
            'access-control-allow-credentials',
          ])
            assert.equal(answered.get(header), null, `${title}: ${header}`)
        }
        const refreshed = await refreshBy(cookie)
        assert.equal(refreshed.status, 200, title)
        cookie = cookieOf(refreshed)
      }
    })

    it('the /session endpoints accept pages whose origin is in corsOrigins', async () => {
      const { addUser, post, refreshBy, logout } = await startBrowser(stage, {
        corsOrigins: [listed],
      })
      await addUser({ username: 'ada' })
      const from = { origin: listed }
      const begun = await post(ada, from)
      const refreshed = await refreshBy(cookieOf(begun), from)
      const ended = await logout(cookieOf(refreshed), from)
      assert.deepEqual([begun.status, refreshed.status, ended.status], [200, 200, 204])
    })

    it('POST /session gives the same answer for an unknown user and a wrong password', async () => {
      const { addUser, post, login } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      const expected = await login({ password: 'wrong' })
      for (const fields of [
        { username: 'nobody' },
        { password: 'wrong' },
        { password: 'x'.repeat(2_000) },
      ]) {
        const { status, text, headers } = await post({ ...ada, ...fields })
        assert.deepEqual([status, text, headers.get('set-cookie')], [400, expected.text, null])
      }
    })

    it('POST /session grants the requested scopes, like POST /token', async () => {
      const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
      const options = { scopes, defaultScopes: ['items:read', 'items:write'] } as const
      const { addUser, post, refreshBy } = await startBrowser(stage, options)
      await addUser({ username: 'ada' })
      for (const [scope, granted] of [
        ['items:read', 'items:read'],
        ['', 'items:read items:write'],
      ] as const) {
        const answer = await post({ ...ada, scope })
        assert.equal(answer.json['scope'], granted)
        assert.equal((await refreshBy(cookieOf(answer))).json['scope'], granted)
      }
      const { status, json } = await post({ ...ada, scope: 'items:raed' })
      assert.deepEqual([status, json['error']], [400, 'invalid_scope'])
    })

    it('POST /session returns an OAuth error code for a wrong body', async () => {
      const { post, send, addUser } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      for (const [body, expected] of [
        [{ username: 'ada' }, 422],
        [{ ...ada, password: 7 }, 422],
        [{ ...ada, scope: null }, 422],
        [{ ...ada, client_id: 'first-party' }, 422],
        [{ ...ada, password: '' }, 400],
        [[], 400],
      ] as const) {
        const { status, json } = await post(body)
        assert.deepEqual(
          [status, json['error']],
          [expected, 'invalid_request'],
          JSON.stringify(body),
        )
        assert.equal(json['detail'], json['error_description'])
      }
      const headers = { origin }
      assert.equal((await send('POST', '/session', { form: ada, headers })).status, 415)
      const text = { ...headers, 'content-type': 'text/plain' }
      assert.equal(
        (await send('POST', '/session', { body: JSON.stringify(ada), headers: text })).status,
        415,
      )
    })

    it('guarded routes, POST /token and POST /revoke ignore the session cookie', async () => {
      const { addUser, post, open, send, refreshBy } = await startBrowser(stage)
      await addUser({ username: 'ada' })
      const answer = await post(ada)
      for (const cookie of [cookieOf(answer), `${name}=${answer.json['access_token']}`]) {
        const headers = { cookie, origin }
        for (const { status, json } of [
          await open([], { headers }),
          await send('GET', '/users/me/sessions', { headers }),
          await send('DELETE', '/users/me/sessions', { headers }),
        ])
          assert.deepEqual([status, json['detail']], [401, 'Not authenticated'])
        for (const form of [
          { grant_type: 'refresh_token' },
          { grant_type: 'refresh_token', refresh_token: '' },
          {},
        ]) {
          const { status, json } = await send('POST', '/token', { form, headers })
          assert.deepEqual([status, json['error']], [400, 'invalid_request'])
        }
        assert.equal((await send('POST', '/revoke', { form: {}, headers })).status, 400)
      }
      assert.equal((await refreshBy(cookieOf(answer))).status, 200)
    })

    it('without cookieSession, there are no /session endpoints', async () => {
      const { send, keystile } = await stage.start()
      const headers = { origin }
      assert.equal((await send('POST', '/session', { json: ada, headers })).status, 404)
      assert.equal((await send('POST', '/session/refresh', { headers })).status, 404)
      const request = new Request(`${keystile.issuer}/session`, { method: 'DELETE', headers })
      assert.equal((await keystile.fetch(request)).status, 404)
    })

    it('the session cookie has the path /session if the issuer’s URL has no path', async () => {
      const { addUser, keystile } = await startBrowser(stage, { issuer: 'http://localhost:3000' })
      await addUser({ username: 'ada' })
      const headers = { origin, 'content-type': 'application/json' }
      const request = new Request(`${origin}/session`, {
        method: 'POST',
        headers,
        body: JSON.stringify(ada),
      })
      assert.match((await keystile.fetch(request)).headers.get('set-cookie')!, /; Path=\/session; /)
    })
  },
  bothDirectories,
)
