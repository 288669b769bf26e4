import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { ada, stageClient } from '../../test-support/client-stage.ts'
import { startTokenServer } from '../../test-support/token-server.ts'
import type { ClientError } from './client-error.ts'
import { createClient, type ClientOptions } from './client.ts'

describe('createClient', () => {
  const stage = stageClient()
  const { start, items, answerTokens, refreshes, stored, settle, read } = stage

  describe('login', () => {
    it('client.login sends user name, password and scopes as a form', async () => {
      await stage.client.login({ ...ada, scopes: ['items:read', 'items:write'] })
      const [{ headers, body }] = stage.server.askedFor('POST /auth/token') as [
        (typeof stage.server.asked)[0],
      ]
      assert.equal(headers['content-type'], 'application/x-www-form-urlencoded;charset=UTF-8')
      assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
        grant_type: 'password',
        ...ada,
        scope: 'items:read items:write',
      })
    })

    it('client.login omits the scope parameter if the app asks for no scopes', async () => {
      await stage.client.login(ada)
      assert.equal(stage.server.asked[0]!.body, 'grant_type=password&username=ada&password=right')
    })

    it('client.login signs the user in', async () => {
      assert.equal(await stage.client.isSignedIn(), false)
      assert.equal(await stage.client.accessToken(), undefined)
      await stage.client.login(ada)
      assert.equal(await stage.client.isSignedIn(), true)
      assert.match((await stage.client.accessToken())!, /^access-/)
      assert.equal(stage.signOuts, 0)
    })

    it('isSignedIn() leaves no timer behind', async () => {
      const timers = (): number =>
        process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
      const before = timers()
      await stage.client.isSignedIn()
      assert.equal(timers(), before)
    })

    it('for a wrong password, client.login rejects with the message of the issuer', async () => {
      await assert.rejects(stage.client.login({ ...ada, password: 'wrong' }), {
        name: 'ClientError',
        code: 'invalid_grant',
        status: 400,
        message: 'Not valid, or no longer',
        retryAfterSeconds: undefined,
      })
      assert.equal(await stage.client.isSignedIn(), false)
    })

    it('client.login reports 429 as a temporary error, not as a wrong password', async () => {
      for (const error of ['temporarily_unavailable', 'invalid_grant', undefined]) {
        answerTokens(429, JSON.stringify({ error, error_description: 'Too many tries' }), {
          'retry-after': '2160',
        })
        await assert.rejects(stage.client.login(ada), {
          code: 'temporarily_unavailable',
          status: 429,
          retryAfterSeconds: 2_160,
        })
      }
    })

    it('client.login sends the device secret of the last login, even after a logout', async () => {
      const secrets = (): readonly (string | null)[] =>
        stage.server
          .askedFor('POST /auth/token')
          .map(({ body }) => new URLSearchParams(body).get('device_secret'))
      const answer = (device_secret?: unknown): void =>
        answerTokens(
          200,
          JSON.stringify({ access_token: 'a', refresh_token: 'r', expires_in: 60, device_secret }),
        )
      answer('first')
      await stage.client.login(ada)
      await stage.client.logout()
      assert.equal(await stage.client.isSignedIn(), false)
      answer()
      await stage.client.login(ada)
      answer(7)
      await stage.client.login(ada)
      answer('second')
      await stage.client.login(ada)
      await stage.client.login(ada)
      assert.deepEqual(secrets(), [null, 'first', 'first', 'first', 'second'])
      assert.equal(stage.storage.read(`keystile:${stage.server.issuer}:device`), 'second')
    })

    it('client.login follows no redirect, so that no other URL gets the password', async () => {
      answerTokens(307, '', { location: `${stage.server.origin}/elsewhere` })
      await assert.rejects(stage.client.login(ada), {
        code: 'temporarily_unavailable',
        status: undefined,
      })
      assert.deepEqual(
        stage.server.asked.map(({ route }) => route),
        ['POST /auth/token'],
      )
    })

    it('if Bob logs in while Ada is signed in, client.login emits no sign-out event', async () => {
      await stage.client.login(ada)
      await stage.client.login({ ...ada, username: 'bob' })
      assert.equal((await read(await stage.client.fetch(items()))).owner, 'bob')
      await settle()
      assert.equal(stage.signOuts, 0)
    })
  })

  describe('the answers of the issuer to a client', () => {
    const cases: readonly [string, number, string, Readonly<Record<string, string>>, object][] = [
      [
        'an HTML page',
        200,
        '<html>',
        {},
        { code: 'temporarily_unavailable', message: 'The answer of the issuer has no tokens' },
      ],
      ['null', 200, 'null', {}, { code: 'temporarily_unavailable' }],
      ['a number', 200, '7', {}, { code: 'temporarily_unavailable' }],
      [
        'no access token',
        200,
        '{"expires_in":1,"refresh_token":"r"}',
        {},
        { code: 'temporarily_unavailable' },
      ],
      [
        'no refresh token',
        200,
        '{"expires_in":1,"access_token":"a"}',
        {},
        { code: 'temporarily_unavailable' },
      ],
      [
        'no expires_in',
        200,
        '{"access_token":"a","refresh_token":"r"}',
        {},
        { code: 'temporarily_unavailable' },
      ],
      [
        '503 with seconds in Retry-After',
        503,
        '{"error":"temporarily_unavailable","error_description":"Busy"}',
        { 'retry-after': '7' },
        { code: 'temporarily_unavailable', status: 503, message: 'Busy', retryAfterSeconds: 7 },
      ],
      [
        '429 with a date in Retry-After',
        429,
        '{"error":"invalid_grant"}',
        { 'retry-after': 'Wed, 25 Nov 2026 12:00:00 GMT' },
        { code: 'temporarily_unavailable', status: 429, retryAfterSeconds: undefined },
      ],
      [
        '503 with Retry-After: 1.5',
        503,
        '{}',
        { 'retry-after': '1.5' },
        { code: 'temporarily_unavailable', retryAfterSeconds: undefined },
      ],
      [
        '503 with Retry-After: 7 s',
        503,
        '{}',
        { 'retry-after': '7 s' },
        { code: 'temporarily_unavailable', retryAfterSeconds: undefined },
      ],
      [
        'invalid_grant with status 403',
        403,
        '{"error":"invalid_grant"}',
        {},
        { code: 'temporarily_unavailable' },
      ],
      [
        'invalid_request with status 403',
        403,
        '{"error":"invalid_request"}',
        {},
        { code: 'invalid_request', status: 403 },
      ],
      [
        'invalid_request with status 500',
        500,
        '{"error":"invalid_request"}',
        {},
        { code: 'temporarily_unavailable', status: 500 },
      ],
      [
        'invalid_grant with status 401',
        401,
        '{"error":"invalid_grant"}',
        {},
        { code: 'temporarily_unavailable' },
      ],
      [
        'invalid_request with status 499',
        499,
        '{"error":"invalid_request"}',
        {},
        { code: 'invalid_request' },
      ],
      [
        'insufficient_authorization, which only a login understands,',
        403,
        '{"error":"insufficient_authorization","auth_session":"s","methods":["otp"]}',
        {},
        { code: 'temporarily_unavailable', status: 403, next: undefined },
      ],
      [
        'invalid_session',
        400,
        '{"error":"invalid_session"}',
        {},
        { code: 'invalid_session', status: 400, next: undefined },
      ],
      [
        'an unknown error code',
        400,
        '{"error":"constructor"}',
        {},
        { code: 'temporarily_unavailable', status: 400 },
      ],
      [
        'an empty error code',
        400,
        '{"error":""}',
        {},
        { code: 'temporarily_unavailable', status: 400 },
      ],
      [
        'invalid_client with status 401',
        401,
        '{"error":"invalid_client"}',
        {},
        { code: 'invalid_client', status: 401 },
      ],
      [
        'invalid_scope with status 400',
        400,
        '{"error":"invalid_scope"}',
        {},
        { code: 'invalid_scope', status: 400 },
      ],
    ]
    for (const [title, status, body, headers, expected] of cases) {
      it(`if the issuer sends ${title}, accessToken() rejects and keeps the session`, async () => {
        await stage.client.login(ada)
        stage.clock.advance(600)
        answerTokens(status, body, headers)
        await assert.rejects(stage.client.accessToken(), expected)
        assert.equal(await stage.client.isSignedIn(), true)
        await settle()
        assert.equal(stage.signOuts, 0)
      })
    }

    it('an error of client.login has URL and status if the issuer sends no message', async () => {
      answerTokens(500, 'oops')
      await assert.rejects(stage.client.login(ada), {
        message: `${stage.server.issuer}/token answers 500`,
      })
    })

    it('errors of a client contain no token', async () => {
      await stage.client.login(ada)
      const { accessToken, refreshToken } = stored()!
      stage.clock.advance(600)
      stage.server.instead = (_asked, response) => Boolean(response.destroy())
      const error: ClientError = await stage.client
        .accessToken()
        .then(assert.fail, (caught: ClientError) => caught)
      assert.equal(error.message, `${stage.server.issuer}/token does not answer`)
      assert.ok(error.cause instanceof Error)
      const { inspect } = await import('node:util')
      const text = inspect(error, { depth: 10, showHidden: true })
      assert.ok(!text.includes(accessToken) && !text.includes(refreshToken), text)
    })
  })

  it('a client’s requests to the issuer time out after 10 s and use no HTTP cache', async (t) => {
    const timeout = t.mock.method(AbortSignal, 'timeout', () => AbortSignal.abort())
    let init: RequestInit | undefined
    const own = start({
      fetch: (input, sent) => {
        init = sent
        return fetch(input, sent)
      },
    })
    await assert.rejects(own.login(ada), { code: 'temporarily_unavailable' })
    assert.deepEqual(timeout.mock.calls[0]!.arguments, [10_000])
    assert.deepEqual(
      [init?.cache, init?.redirect, init?.credentials],
      ['no-store', 'error', 'omit'],
    )
    assert.equal(stage.server.asked.length, 0)
  })

  describe('onSignOut', () => {
    it('client.onSignOut calls a listener twice if the listener was added twice', async () => {
      let count = 0
      const listener = (): void => void count++
      const [stop] = [stage.client.onSignOut(listener), stage.client.onSignOut(listener)]
      await stage.client.login(ada)
      await stage.client.logout()
      assert.equal(count, 2)
      stop()
      await stage.client.login(ada)
      await stage.client.logout()
      assert.equal(count, 3)
    })
  })

  describe('the storage of a client', () => {
    it('a user is signed out if the storage contains anything but a valid session', async () => {
      const key = `keystile:${stage.server.issuer}`
      const session = {
        id: 'a',
        accessToken: 'b',
        refreshToken: 'c',
        askedAt: stage.clock.now(),
        lifetime: 1e6,
      }
      await stage.storage.write(key, JSON.stringify(session))
      assert.equal(await stage.client.accessToken(), 'b')
      for (const name of Object.keys(session)) {
        await stage.storage.write(key, JSON.stringify({ ...session, [name]: null }))
        assert.equal(await stage.client.isSignedIn(), false, name)
      }
      for (const text of ['', '{', 'null', '7', '[]']) {
        await stage.storage.write(key, text)
        assert.equal(await stage.client.isSignedIn(), false, text)
      }
    })

    it('a user is signed out if the token has expired and there is no refresh token', async () => {
      const session = { id: 'a', accessToken: 'b', askedAt: stage.clock.now(), lifetime: 1e6 }
      await stage.storage.write(`keystile:${stage.server.issuer}`, JSON.stringify(session))
      assert.equal(await stage.client.accessToken(), 'b')
      stage.clock.advance(1_000)
      assert.equal(await stage.client.accessToken(), undefined)
      assert.equal(stage.signOuts, 1)
      assert.deepEqual(stage.server.asked, [])
    })

    it('without a refresh token, client.logout forgets the session and sends nothing', async () => {
      const key = `keystile:${stage.server.issuer}`
      const session = { id: 'a', accessToken: 'b', askedAt: 0, lifetime: 1 }
      for (const value of [session, 'unknown']) {
        await stage.storage.write(key, JSON.stringify(value))
        await stage.client.logout()
        assert.equal(await stage.client.isSignedIn(), false)
      }
      assert.deepEqual(stage.server.asked, [])
    })

    it('client.fetch rejects with the storage’s error if the storage fails', async () => {
      const failing = start({
        storage: {
          read: () => Promise.reject(new Error('the disk is full')),
          write() {},
          listen(_key, onChange) {
            onChange()
            return () => {}
          },
        },
      })
      await settle()
      await assert.rejects(failing.fetch(items()), /the disk is full/)
    })

    it('by default, a client keeps its session only in memory', async () => {
      const [one, other] = [
        createClient({ issuer: stage.server.issuer }),
        createClient({ issuer: stage.server.issuer }),
      ]
      await one.login(ada)
      assert.equal(await one.isSignedIn(), true)
      assert.equal(await other.isSignedIn(), false)
      one.close()
      assert.match((await one.accessToken())!, /^access-/)
      assert.equal(refreshes(), 0)
    })

    it('one storage can keep a separate session for each issuer', async () => {
      const other = await startTokenServer()
      try {
        await stage.client.login(ada)
        assert.equal(await start({ issuer: other.issuer }).isSignedIn(), false)
        assert.equal(await start({ issuer: `${stage.server.issuer}/` }).isSignedIn(), true)
      } finally {
        await other.close()
      }
    })
  })

  it('createClient refuses a wrong `issuer` or resource URL, such as a URL with a query', () => {
    for (const url of [
      undefined,
      7,
      '',
      '/auth',
      'ftp://a.example',
      'xhttp://a.example',
      'https://a:b@c.example',
      'https://a?b',
      'https://a#b',
      'https://a/auth?',
      'https://a/auth#',
      'https://*.example.com',
    ]) {
      assert.throws(() => start({ issuer: url as string }), {
        name: 'TypeError',
        message: /^`issuer` must be an absolute https URL/,
      })
      assert.throws(() => start({ resources: [url as string] }), {
        message: /^`resources` must be an absolute/,
      })
    }
    for (const options of [undefined, null, 'https://a.example']) {
      assert.throws(
        () => createClient(options as unknown as ClientOptions),
        /the argument of createClient\(\) must be an object with at least `issuer`/,
      )
    }
    for (const url of [
      'http://a.example/auth',
      'http://localhost.example',
      'http://notlocalhost',
      'http://127.0.0.1.example',
      'http://[::2]',
    ]) {
      assert.throws(() => start({ issuer: url }), {
        message:
          '`issuer` must be an https URL: over http, passwords and tokens are readable on the ' +
          'network. If the network is protected in another way, set dangerouslyAllowHttpIssuer',
      })
      assert.throws(
        () => start({ resources: [url] }),
        /`resources` must be an https URL: over http/,
      )
      assert.doesNotThrow(() =>
        start({ issuer: url, resources: [url], dangerouslyAllowHttpIssuer: true }),
      )
    }
    for (const host of [
      'localhost:3000',
      'api.localhost',
      '127.0.0.1',
      '127.8.9.100:80',
      '[::1]:3000',
    ])
      assert.doesNotThrow(() =>
        start({ issuer: `http://${host}/auth`, resources: [`http://${host}`] }),
      )
    assert.throws(() => start({ resource: ['https://a.example'] } as object), {
      message:
        'createClient has no option `resource`; its options are ' +
        'issuer, storage, resources, fetch, clock, dangerouslyAllowHttpIssuer',
    })
    assert.throws(() => start({ storage: 'cookies' as 'cookie' }), /`storage` must be 'cookie', or/)
    assert.throws(
      () => start({ issuer: 'https://a:secret@c.example' }),
      (error: Error) => !error.message.includes('secret'),
    )
  })
})

describe('a process with an open client', () => {
  it('an open client does not keep the process running', async () => {
    const { execFile } = await import('node:child_process')
    const door = new URL('../client.ts', import.meta.url)
    const program = `
      import { createClient } from ${JSON.stringify(door.href)}
      for (const storage of [undefined, 'cookie'])
        createClient({ issuer: 'http://127.0.0.1:1', ...(storage && { storage }) })`
    const child = execFile(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 600_000,
    })
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })
})
