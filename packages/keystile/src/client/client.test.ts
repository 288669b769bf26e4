import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, beforeEach, describe, it } from 'node:test'
import { startTokenServer, type TokenServer } from '../../../../test/support/token-server.ts'
import type { ClientError } from './client-error.ts'
import { createClient, type Client, type ClientOptions } from './client.ts'
import type { Session } from './session.ts'
import { memoryStorage, type TokenStorage } from './token-storage.ts'

const ada = { username: 'ada', password: 'right' }

/** A clock that stands still until it is told to move. */
class TestClock {
  wall = Date.UTC(2026, 10, 25)
  monotonic = 0
  readonly now = (): number => this.wall
  readonly elapsed = (): number => this.monotonic
  advance(seconds: number): void {
    this.wall += seconds * 1000
    this.monotonic += seconds * 1000
  }
}

describe('createClient', () => {
  let server: TokenServer
  let clock: TestClock
  let storage: TokenStorage
  let client: Client
  let signOuts: number
  before(async () => {
    server = await startTokenServer()
  })
  after(() => server.close())
  beforeEach(() => {
    server.endSessions()
    server.forget()
    server.instead = undefined
    server.accessTokenSeconds = 600
    clock = new TestClock()
    storage = memoryStorage()
    client = start()
    signOuts = 0
    client.onSignOut(() => signOuts++)
  })

  const start = (options: Partial<ClientOptions> = {}): Client =>
    createClient({ issuer: server.issuer, storage, clock, ...options })
  const items = (): string => `${server.origin}/items`
  const bearers = (): readonly (string | undefined)[] =>
    server.askedFor('GET /items').map(({ headers }) => headers.authorization)
  const refreshes = (): number => server.askedFor('refresh').length
  /** Answers requests for the tokens by a status and a body. */
  const answerTokens = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): void => {
    server.instead = ({ route }, response) => {
      if (route !== 'POST /auth/token') return false
      response.writeHead(status, headers).end(body)
      return true
    }
  }
  /** Holds back the answer to the first request for a route. */
  const hold = (route: string): { readonly arrived: Promise<void>; readonly release: () => void } => {
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    server.instead = async (asked) => {
      if (asked.route !== route || server.askedFor(route).length > 1) return false
      arrived.resolve()
      await released.promise
      return false
    }
    return { arrived: arrived.promise, release: () => released.resolve() }
  }
  const stored = (): Session | undefined => {
    const text = storage.read(`keystile:${server.issuer}`)
    return typeof text === 'string' ? (JSON.parse(text) as Session) : undefined
  }
  const read = async (response: Response): Promise<Readonly<Record<string, string>>> =>
    (await response.json()) as Record<string, string>
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  describe('login', () => {
    it('sends user name, password and scopes, and no cookie is wanted', async () => {
      await client.login({ ...ada, scopes: ['items:read', 'items:write'] })
      const [{ headers, body }] = server.askedFor('POST /auth/token') as [(typeof server.asked)[0]]
      assert.equal(headers['content-type'], 'application/x-www-form-urlencoded;charset=UTF-8')
      assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
        grant_type: 'password',
        ...ada,
        scope: 'items:read items:write',
      })
    })

    it('asks for no scope where none is named', async () => {
      await client.login(ada)
      assert.equal(server.asked[0]!.body, 'grant_type=password&username=ada&password=right')
    })

    it('signs in', async () => {
      assert.equal(await client.isSignedIn(), false)
      assert.equal(await client.accessToken(), undefined)
      await client.login(ada)
      assert.equal(await client.isSignedIn(), true)
      assert.match((await client.accessToken())!, /^access-/)
      assert.equal(signOuts, 0)
    })

    it('says what the issuer says to a wrong password', async () => {
      await assert.rejects(client.login({ ...ada, password: 'wrong' }), {
        name: 'ClientError',
        code: 'invalid_grant',
        status: 400,
        message: 'Not valid, or no longer',
        retryAfterSeconds: undefined,
      })
      assert.equal(await client.isSignedIn(), false)
    })

    it('follows no redirect with a password', async () => {
      answerTokens(307, '', { location: `${server.origin}/elsewhere` })
      await assert.rejects(client.login(ada), { code: 'temporarily_unavailable', status: undefined })
      assert.deepEqual(
        server.asked.map(({ route }) => route),
        ['POST /auth/token'],
      )
    })

    it('replaces the session of another person, and no event says that somebody is signed out', async () => {
      await client.login(ada)
      await client.login({ ...ada, username: 'bob' })
      assert.equal((await read(await client.fetch(items()))).owner, 'bob')
      await settle()
      assert.equal(signOuts, 0)
    })
  })

  describe('what the issuer answers', () => {
    const cases: readonly [string, number, string, Readonly<Record<string, string>>, object][] = [
      ['a page', 200, '<html>', {}, { code: 'temporarily_unavailable', message: 'The issuer answers without tokens' }],
      ['no object', 200, 'null', {}, { code: 'temporarily_unavailable' }],
      ['no access token', 200, '{"expires_in":1,"refresh_token":"r"}', {}, { code: 'temporarily_unavailable' }],
      ['no refresh token', 200, '{"expires_in":1,"access_token":"a"}', {}, { code: 'temporarily_unavailable' }],
      ['no time', 200, '{"access_token":"a","refresh_token":"r"}', {}, { code: 'temporarily_unavailable' }],
      [
        'that it is too busy',
        503,
        '{"error":"temporarily_unavailable","error_description":"Busy"}',
        { 'retry-after': '7' },
        { code: 'temporarily_unavailable', status: 503, message: 'Busy', retryAfterSeconds: 7 },
      ],
      [
        'too many requests, until a date',
        429,
        '{"error":"invalid_grant"}',
        { 'retry-after': 'Wed, 25 Nov 2026 12:00:00 GMT' },
        { code: 'temporarily_unavailable', status: 429, retryAfterSeconds: undefined },
      ],
      ['a refusal by somebody before it', 403, '{"error":"invalid_grant"}', {}, { code: 'temporarily_unavailable' }],
      ['a code of nobody’s', 400, '{"error":"constructor"}', {}, { code: 'temporarily_unavailable', status: 400 }],
      [
        'a client that it does not know',
        401,
        '{"error":"invalid_client"}',
        {},
        { code: 'invalid_client', status: 401 },
      ],
      ['a scope that it does not know', 400, '{"error":"invalid_scope"}', {}, { code: 'invalid_scope', status: 400 }],
    ]
    for (const [title, status, body, headers, expected] of cases) {
      it(`is an error where it is ${title}, and nobody is signed out by it`, async () => {
        await client.login(ada)
        clock.advance(600)
        answerTokens(status, body, headers)
        await assert.rejects(client.accessToken(), expected)
        assert.equal(await client.isSignedIn(), true)
        await settle()
        assert.equal(signOuts, 0)
      })
    }

    it('names the endpoint and the status where the issuer gives no reason', async () => {
      answerTokens(500, 'oops')
      await assert.rejects(client.login(ada), { message: `${server.issuer}/token answers 500` })
    })

    it('holds no token in errors', async () => {
      await client.login(ada)
      const { accessToken, refreshToken } = stored()!
      clock.advance(600)
      server.instead = (_asked, response) => Boolean(response.destroy())
      const error: ClientError = await client.accessToken().then(assert.fail, (caught: ClientError) => caught)
      assert.equal(error.message, `${server.issuer}/token gives no answer`)
      assert.ok(error.cause instanceof Error)
      const { inspect } = await import('node:util')
      const text = inspect(error, { depth: 10, showHidden: true })
      assert.ok(!text.includes(accessToken) && !text.includes(refreshToken), text)
    })
  })

  it('asks the issuer for ten seconds, past every cache', async (t) => {
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
    assert.deepEqual([init?.cache, init?.redirect, init?.credentials], ['no-store', 'error', 'omit'])
    assert.equal(server.asked.length, 0)
  })

  describe('fetch', () => {
    it('adds the token to a request for the issuer’s origin', async () => {
      await client.login(ada)
      const answer = await client.fetch(items(), { headers: { accept: 'text/plain' } })
      assert.equal((await read(answer)).owner, 'ada')
      assert.equal(server.askedFor('GET /items')[0]!.headers.accept, 'text/plain')
    })

    it('takes a URL, or a Request whose method, headers and body it sends', async () => {
      await client.login(ada)
      assert.equal((await client.fetch(new URL(items()))).status, 200)
      const request = new Request(items(), { method: 'POST', body: 'lamp', headers: { 'x-of': 'the request' } })
      assert.equal((await read(await client.fetch(request))).body, 'lamp')
      const { headers } = server.askedFor('POST /items')[0]!
      assert.equal(headers['x-of'], 'the request')
      assert.equal(headers['content-type'], 'text/plain;charset=UTF-8')
    })

    it('sends a request as it is while nobody is signed in', async () => {
      assert.equal((await client.fetch(items())).status, 401)
      assert.deepEqual(bearers(), [undefined])
      assert.equal(refreshes(), 0)
    })

    it('leaves alone an Authorization header that is there already', async () => {
      await client.login(ada)
      await client.fetch(items(), { headers: { Authorization: 'Basic abc' } })
      await client.fetch(new Request(items(), { headers: { Authorization: 'Bearer other' } }))
      assert.deepEqual(bearers(), ['Basic abc', 'Bearer other'])
      assert.equal(refreshes(), 0)
    })

    it('looks at the URL once: changing the object meanwhile leads the token nowhere', async () => {
      const other = await startTokenServer()
      try {
        await client.login(ada)
        const url = new URL(items())
        const answer = client.fetch(url)
        url.port = new URL(other.origin).port
        assert.equal((await answer).status, 200)
        assert.equal(other.asked.length, 0)
      } finally {
        await other.close()
      }
    })

    it('adds no token for another origin, and none follows a redirect to one', async () => {
      const other = await startTokenServer()
      try {
        await client.login(ada)
        assert.equal((await client.fetch(`${other.origin}/items`)).status, 401)
        server.instead = ({ route }, response) =>
          route === 'GET /items' && Boolean(response.writeHead(307, { location: `${other.origin}/items` }).end())
        const answer = await client.fetch(items())
        assert.equal(answer.status, 401)
        assert.deepEqual(
          other.asked.map(({ headers }) => headers.authorization),
          [undefined, undefined],
        )
        assert.match(bearers()[0]!, /^Bearer access-/)
        assert.equal(refreshes(), 0, 'another token would not help')
      } finally {
        await other.close()
      }
    })

    it('adds the token for the resources that were named, and for the issuer only if it is one', async () => {
      const other = await startTokenServer()
      try {
        const named = start({ resources: [`${other.origin}/items`] })
        await named.login(ada)
        await named.fetch(`${other.origin}/items?page=2#end`)
        await named.fetch(`${other.origin}/items/1`)
        await named.fetch(`${other.origin}/itemsAndMore`)
        await named.fetch(`${other.origin}/items/../other`)
        await named.fetch(items())
        assert.deepEqual(
          other.asked.map(({ headers }) => headers.authorization !== undefined),
          [true, true, false, false],
        )
        assert.deepEqual(bearers(), [undefined])
      } finally {
        await other.close()
      }
    })

    it('asks through the fetch that it was given', async () => {
      const urls: string[] = []
      const own = start({
        fetch: (input, init) => {
          urls.push(input instanceof Request ? input.url : input.toString())
          return fetch(input, init)
        },
      })
      await own.login(ada)
      await own.fetch(items())
      assert.deepEqual(urls, [`${server.issuer}/token`, items()])
    })
  })

  describe('a refresh', () => {
    beforeEach(async () => {
      await client.login(ada)
      server.forget()
    })

    it('comes a while before the token expires: a tenth of its life, a minute at most', async () => {
      clock.advance(539)
      await client.fetch(items())
      assert.equal(refreshes(), 0)
      clock.advance(1)
      await client.fetch(items())
      assert.equal(refreshes(), 1)
      assert.equal(new Set(bearers()).size, 2)
      server.accessTokenSeconds = 100
      clock.advance(600)
      await client.accessToken()
      clock.advance(89)
      await client.accessToken()
      assert.equal(refreshes(), 2)
      clock.advance(1)
      await client.accessToken()
      assert.equal(refreshes(), 3)
      server.accessTokenSeconds = 86_400
      clock.advance(100)
      await client.accessToken()
      clock.advance(86_339)
      await client.accessToken()
      assert.equal(refreshes(), 4)
      clock.advance(1)
      await client.accessToken()
      assert.equal(refreshes(), 5)
    })

    it('counts from when the token was asked for', async () => {
      const held = hold('POST /auth/token')
      clock.advance(600)
      const waiting = client.accessToken()
      await held.arrived
      clock.advance(540)
      held.release()
      await waiting
      assert.equal(refreshes(), 1)
      await client.accessToken()
      assert.equal(refreshes(), 2)
    })

    it('is one for all calls at once, and each next one uses the token of the one before', async () => {
      for (const round of [1, 2, 3]) {
        clock.advance(600)
        const calls = Array.from({ length: 20 }, () => client.fetch(items()))
        for (const { status } of await Promise.all(calls)) assert.equal(status, 200)
        assert.equal(refreshes(), round)
      }
      assert.equal(new Set(server.askedFor('refresh').map(({ body }) => body)).size, 3)
      assert.match(server.askedFor('refresh')[0]!.body, /^grant_type=refresh_token&refresh_token=refresh-\d+$/)
    })

    it('is made with the same token again after one that got no answer', async () => {
      clock.advance(600)
      server.instead = (_asked, response) => Boolean(response.destroy())
      await assert.rejects(client.fetch(items()), { code: 'temporarily_unavailable' })
      server.instead = undefined
      assert.equal((await client.fetch(items())).status, 200)
      assert.equal(new Set(server.askedFor('refresh').map(({ body }) => body)).size, 1)
      assert.deepEqual(bearers().length, 1)
    })

    it('that fails does no harm while the token still lives', async () => {
      clock.advance(599)
      answerTokens(503, '{}')
      assert.equal((await client.fetch(items())).status, 200)
      clock.advance(1)
      await assert.rejects(client.fetch(items()), { code: 'temporarily_unavailable' })
      assert.equal(refreshes(), 2)
    })

    it('that the issuer refuses signs out, once, and the request goes out without a token', async () => {
      clock.advance(600)
      server.endSessions()
      const answers = await Promise.all([1, 2, 3].map(() => client.fetch(items())))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [401, 401, 401],
      )
      assert.deepEqual(bearers(), [undefined, undefined, undefined])
      assert.equal(signOuts, 1)
      assert.equal(stored(), undefined)
      assert.equal(await client.isSignedIn(), false)
      await client.fetch(items())
      assert.equal(refreshes(), 1)
    })

    it('comes when our clock was set back to before the token was made', async () => {
      clock.wall -= 1
      await client.accessToken()
      assert.equal(refreshes(), 1)
      await client.accessToken()
      assert.equal(refreshes(), 1)
    })

    it('comes in time though our clock was set back while the token was in use', async () => {
      clock.advance(300)
      await client.accessToken()
      clock.wall -= 290_000
      clock.advance(239)
      await client.accessToken()
      assert.equal(refreshes(), 0)
      clock.advance(1)
      await client.accessToken()
      assert.equal(refreshes(), 1)
    })

    it('comes when our clock jumped ahead: the machine may have slept', async () => {
      clock.wall += 540_000
      await client.accessToken()
      assert.equal(refreshes(), 1)
    })
  })

  describe('a token that the API refuses', () => {
    beforeEach(async () => {
      await client.login(ada)
      server.forget()
    })

    it('is refreshed, and the request sent again', async () => {
      server.refuseAccessTokens()
      const answer = await client.fetch(items())
      assert.equal(answer.status, 200)
      assert.equal(bearers().length, 2)
      assert.notEqual(bearers()[0], bearers()[1])
    })

    for (const [title, body] of [
      ['a text', 'lamp'],
      ['parameters', new URLSearchParams('lamp')],
      ['a Blob', new Blob(['lamp'])],
      ['bytes', new TextEncoder().encode('lamp')],
    ] as const) {
      it(`is sent again with a body that is ${title}`, async () => {
        server.refuseAccessTokens()
        const answer = await client.fetch(items(), { method: 'POST', body })
        assert.match((await read(answer)).body!, /^lamp=?$/)
        assert.equal(server.askedFor('POST /items').length, 2)
      })
    }

    it('is sent again with the body of a Request', async () => {
      server.refuseAccessTokens()
      const answer = await client.fetch(new Request(items(), { method: 'POST', body: 'lamp' }))
      assert.equal((await read(answer)).body, 'lamp')
    })

    it('is not sent again with a stream: the 401 is given back', async () => {
      server.refuseAccessTokens()
      const streams = [
        new Blob(['lamp']).stream(),
        (async function* () {
          yield new TextEncoder().encode('lamp')
        })(),
      ]
      for (const body of streams) {
        const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit
        assert.equal((await client.fetch(items(), init)).status, 401)
      }
      assert.equal(server.askedFor('POST /items').length, 2)
      assert.equal(refreshes(), 0)
    })

    it('is refreshed once for all calls at once', async () => {
      server.refuseAccessTokens()
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.fetch(items())))
      assert.ok(answers.every(({ status }) => status === 200))
      assert.equal(refreshes(), 1)
    })

    it('is not refreshed where a call that began earlier did so meanwhile', async () => {
      const held = hold('GET /items')
      const slow = client.fetch(items())
      await held.arrived
      server.refuseAccessTokens()
      assert.equal((await client.fetch(items())).status, 200)
      held.release()
      assert.equal((await slow).status, 200)
      assert.equal(refreshes(), 1)
    })

    it('is sent again once: a second 401 is given back', async () => {
      server.instead = ({ route }, response) => route === 'GET /items' && Boolean(response.writeHead(401).end('no'))
      const answer = await client.fetch(items())
      assert.equal(answer.status, 401)
      assert.equal(await answer.text(), 'no')
      assert.equal(bearers().length, 2)
      assert.equal(refreshes(), 1)
      assert.equal(await client.isSignedIn(), true)
    })

    it('is not refreshed where the API wants something else', async () => {
      const refusals = [
        [401, 'Bearer error="insufficient_user_authentication", max_age=300'],
        [403, 'Bearer error="insufficient_scope"'],
      ] as const
      for (const [status, challenge] of refusals) {
        server.instead = (_asked, response) =>
          Boolean(response.writeHead(status, { 'www-authenticate': challenge }).end())
        assert.equal((await client.fetch(items())).status, status)
      }
      assert.equal(refreshes(), 0)
    })

    it('is refreshed where a redirect stayed at its origin', async () => {
      server.instead = ({ route }, response) =>
        route === 'GET /old' && Boolean(response.writeHead(307, { location: '/items' }).end())
      server.refuseAccessTokens()
      assert.equal((await client.fetch(`${server.origin}/old`)).status, 200)
    })

    it('gives back the 401 where the session is over, and signs out', async () => {
      server.endSessions()
      const answer = await client.fetch(items())
      assert.equal(answer.status, 401)
      assert.deepEqual(await answer.json(), {})
      assert.equal(bearers().length, 1)
      assert.equal(signOuts, 1)
    })

    it('rejects while the issuer gives no answer: a 401 would seem to say that nobody is signed in', async () => {
      server.refuseAccessTokens()
      answerTokens(503, '{}')
      await assert.rejects(client.fetch(items()), { code: 'temporarily_unavailable' })
      assert.equal(await client.isSignedIn(), true)
      assert.equal(signOuts, 0)
    })

    it('is not sent again in the name of somebody who has logged in meanwhile', async () => {
      const held = hold('GET /items')
      const answer = client.fetch(items())
      await held.arrived
      await client.login({ ...ada, username: 'bob' })
      server.instead = (_asked, response) => Boolean(response.writeHead(401).end())
      server.instead = undefined
      server.refuseAccessTokens()
      held.release()
      assert.equal((await answer).status, 401)
      assert.equal(bearers().length, 1)
    })
  })

  describe('logout', () => {
    beforeEach(async () => {
      await client.login(ada)
      server.forget()
    })

    it('ends the session at the issuer, by its refresh token, and forgets it', async () => {
      const { refreshToken } = stored()!
      await client.logout()
      assert.deepEqual(
        server.asked.map(({ route, body }) => [route, body]),
        [['POST /auth/revoke', `token=${refreshToken}`]],
      )
      assert.equal(stored(), undefined)
      assert.equal(signOuts, 1)
      assert.equal(await client.isSignedIn(), false)
    })

    it('asks nothing where nobody is signed in, and no event comes', async () => {
      await client.logout()
      await client.logout()
      assert.equal(server.asked.length, 1)
      assert.equal(signOuts, 1)
    })

    it('forgets the session also where the issuer cannot be told', async () => {
      server.instead = (_asked, response) => Boolean(response.writeHead(503, { 'retry-after': '3' }).end())
      await assert.rejects(client.logout(), { code: 'temporarily_unavailable', retryAfterSeconds: 3 })
      assert.equal(stored(), undefined)
      assert.equal(signOuts, 1)
    })

    it('is not undone by a refresh that was under way', async () => {
      clock.advance(600)
      const held = hold('POST /auth/token')
      const token = client.accessToken()
      await held.arrived
      await client.logout()
      held.release()
      assert.equal(await token, undefined)
      assert.equal(stored(), undefined)
      assert.equal(signOuts, 1)
    })
  })

  it('keeps a login that came while a refresh was under way, and calls use its token', async () => {
    await client.login(ada)
    clock.advance(600)
    const held = hold('POST /auth/token')
    server.forget()
    const token = client.accessToken()
    await held.arrived
    await client.login({ ...ada, username: 'bob' })
    const { accessToken } = stored()!
    held.release()
    assert.equal(await token, accessToken)
    assert.equal((await read(await client.fetch(items()))).owner, 'bob')
  })

  it('keeps a login that came while a refresh was refused', async () => {
    await client.login(ada)
    clock.advance(600)
    server.endSessions()
    const held = hold('POST /auth/token')
    server.forget()
    const token = client.accessToken()
    await held.arrived
    await client.login({ ...ada, username: 'bob' })
    held.release()
    assert.equal(await token, stored()!.accessToken)
    assert.equal(signOuts, 0)
  })

  describe('with a storage that others share', () => {
    /** As tabs have it: one after the other, and each hears what another writes. */
    function share(): () => TokenStorage {
      const texts = memoryStorage()
      const listeners = new Set<() => void>()
      let last: Promise<unknown> = Promise.resolve()
      return () => {
        let own: (() => void) | undefined
        return {
          read: async (key) => texts.read(key),
          async write(key, text) {
            await texts.write(key, text)
            for (const listener of listeners) if (listener !== own) listener()
          },
          exclusive(_name, action) {
            const next = last.then(action)
            last = next.catch(() => {})
            return next
          },
          listen(_key, onChange) {
            own = onChange
            listeners.add(onChange)
            return () => listeners.delete(onChange)
          },
        }
      }
    }
    let clients: readonly Client[]
    let counts: number[]
    beforeEach(async () => {
      const storageOf = share()
      clients = Array.from({ length: 10 }, () => start({ storage: storageOf() }))
      counts = clients.map(() => 0)
      for (const [n, one] of clients.entries()) one.onSignOut(() => counts[n]!++)
      await clients[0]!.login(ada)
      await settle()
      server.forget()
    })
    const ten = (count: number): readonly number[] => Array.from({ length: 10 }, () => count)
    const askAll = async (): Promise<readonly number[]> =>
      (await Promise.all(clients.map((one) => one.fetch(items())))).map(({ status }) => status)

    it('refreshes once for ten clients', async () => {
      clock.advance(600)
      assert.deepEqual(await askAll(), ten(200))
      assert.equal(refreshes(), 1)
      server.refuseAccessTokens()
      assert.deepEqual(await askAll(), ten(200))
      assert.equal(refreshes(), 2)
    })

    it('goes on when the one that refreshes fails', async () => {
      clock.advance(600)
      server.instead = ({ route }, response) =>
        route === 'POST /auth/token' && refreshes() === 1 && Boolean(response.destroy())
      const results = await Promise.allSettled(clients.map((one) => one.fetch(items())))
      assert.equal(results.filter(({ status }) => status === 'rejected').length, 1)
      assert.equal(refreshes(), 2)
    })

    it('signs out each of them once, at a logout and when the session is over', async () => {
      await clients[3]!.logout()
      await settle()
      assert.deepEqual(counts, ten(1))
      await clients[4]!.login(ada)
      await settle()
      server.endSessions()
      server.forget()
      assert.deepEqual(await askAll(), ten(401))
      await settle()
      assert.deepEqual(counts, ten(2))
      assert.equal(refreshes(), 1)
    })

    it('tells a client of a sign-out that was signed in before it began', async () => {
      const storageOf = share()
      await start({ storage: storageOf() }).login(ada)
      const later = start({ storage: storageOf() })
      let count = 0
      later.onSignOut(() => count++)
      await settle()
      await start({ storage: storageOf() }).logout()
      await settle()
      assert.equal(count, 1)
    })

    it('tells a closed client nothing', async () => {
      clients[5]!.close()
      await clients[3]!.logout()
      await settle()
      assert.deepEqual(
        counts,
        ten(1).map((one, n) => (n === 5 ? 0 : one)),
      )
    })

    it('does not let a logout wait until it forgets', async () => {
      clock.advance(600)
      const held = hold('POST /auth/token')
      const token = clients[0]!.accessToken()
      await held.arrived
      const loggedOut = clients[1]!.logout()
      await settle()
      assert.equal(await clients[2]!.isSignedIn(), false)
      assert.deepEqual(
        server.asked.map(({ route }) => route),
        ['POST /auth/token'],
      )
      held.release()
      await loggedOut
      assert.equal(await token, undefined)
      assert.deepEqual(counts, ten(1))
    })
  })

  describe('onSignOut', () => {
    it('calls a listener as often as it was added, until it is taken away', async () => {
      let count = 0
      const listener = (): void => void count++
      const [stop] = [client.onSignOut(listener), client.onSignOut(listener)]
      await client.login(ada)
      await client.logout()
      assert.equal(count, 2)
      stop()
      await client.login(ada)
      await client.logout()
      assert.equal(count, 3)
    })
  })

  describe('a storage', () => {
    it('that holds something else holds no session', async () => {
      const key = `keystile:${server.issuer}`
      const session = { id: 'a', accessToken: 'b', refreshToken: 'c', askedAt: clock.now(), lifetime: 1e6 }
      await storage.write(key, JSON.stringify(session))
      assert.equal(await client.accessToken(), 'b')
      for (const name of Object.keys(session)) {
        await storage.write(key, JSON.stringify({ ...session, [name]: null }))
        assert.equal(await client.accessToken(), undefined, name)
      }
      for (const text of ['', '{', 'null', '7', '[]']) {
        await storage.write(key, text)
        assert.equal(await client.accessToken(), undefined, text)
      }
    })

    it('that fails, fails the call, and nothing else', async () => {
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

    it('is in memory where none is named, one for each client', async () => {
      const [one, other] = [createClient({ issuer: server.issuer }), createClient({ issuer: server.issuer })]
      await one.login(ada)
      assert.equal(await one.isSignedIn(), true)
      assert.equal(await other.isSignedIn(), false)
    })

    it('keeps the sessions of several issuers apart', async () => {
      const other = await startTokenServer()
      try {
        await client.login(ada)
        assert.equal(await start({ issuer: other.issuer }).isSignedIn(), false)
        assert.equal(await start({ issuer: `${server.issuer}/` }).isSignedIn(), true)
      } finally {
        await other.close()
      }
    })
  })

  describe('with the refresh token in a cookie', () => {
    /** A fetch that keeps a cookie, as a browser does. */
    function cookieFetch(): typeof fetch {
      let cookie = ''
      return async (input, init) => {
        const headers = new Headers(init?.headers)
        if (init?.credentials === 'include' && cookie !== '') headers.set('cookie', cookie)
        const response = await fetch(input, { ...init, headers })
        const [set] = response.headers.getSetCookie()
        if (set) cookie = set.includes('Max-Age=0') ? '' : set.split(';')[0]!
        return response
      }
    }
    const opened: Client[] = []
    /** What one browser has open. */
    const open = (kept: typeof fetch): Client => {
      const tab = start({ storage: 'cookie', fetch: kept })
      opened.push(tab)
      return tab
    }
    after(() => {
      for (const tab of opened) tab.close()
    })
    /** Another tab of this process hears of it a turn later. */
    const heard = async (condition: () => Promise<boolean>): Promise<void> => {
      while (!(await condition())) await settle()
    }
    const isToken = (tab: Client, token: string | undefined) => async (): Promise<boolean> =>
      (await tab.accessToken()) === token

    it('logs in by JSON, refreshes and logs out', async () => {
      const tab = open(cookieFetch())
      await tab.login({ ...ada, scopes: ['a', 'b'] })
      assert.deepEqual(JSON.parse(server.asked[0]!.body), { ...ada, scope: 'a b' })
      assert.equal(server.asked[0]!.headers['content-type'], 'application/json')
      clock.advance(600)
      assert.equal((await tab.fetch(items())).status, 200)
      await tab.logout()
      assert.equal(await tab.isSignedIn(), false)
      assert.deepEqual(
        server.asked.map(({ route }) => route),
        ['POST /auth/session', 'POST /auth/session/refresh', 'GET /items', 'DELETE /auth/session'],
      )
      assert.equal(server.asked[1]!.body, '')
    })

    it('asks for no scope where none is named', async () => {
      await open(cookieFetch()).login(ada)
      assert.deepEqual(JSON.parse(server.asked[0]!.body), ada)
    })

    it('finds out once who is signed in, and no event comes where nobody was', async () => {
      const tab = open(cookieFetch())
      let count = 0
      tab.onSignOut(() => count++)
      assert.equal(await tab.isSignedIn(), false)
      assert.equal(await tab.isSignedIn(), false)
      assert.equal((await tab.fetch(items())).status, 401)
      assert.equal(refreshes(), 1)
      assert.equal(count, 0)
    })

    it('does not say that nobody is signed in while the issuer gives no answer', async () => {
      server.instead = (_asked, response) => Boolean(response.destroy())
      await assert.rejects(open(cookieFetch()).isSignedIn(), { code: 'temporarily_unavailable' })
    })

    it('is signed in on the next page, and a tab tells the others its access token', async () => {
      const kept = cookieFetch()
      const first = open(kept)
      await first.login(ada)
      const next = open(kept)
      assert.equal(await next.isSignedIn(), true)
      assert.equal(refreshes(), 1)
      await heard(isToken(first, await next.accessToken()))
      assert.equal(refreshes(), 1)
    })

    it('refreshes once for ten tabs', async () => {
      const kept = cookieFetch()
      const tabs = Array.from({ length: 10 }, () => open(kept))
      await tabs[0]!.login(ada)
      const token = await tabs[0]!.accessToken()
      for (const tab of tabs) await heard(isToken(tab, token))
      server.forget()
      clock.advance(600)
      const answers = await Promise.all(tabs.map((tab) => tab.fetch(items())))
      assert.ok(answers.every(({ status }) => status === 200))
      assert.equal(refreshes(), 1)
    })

    it('signs out all tabs at a logout, also where the issuer was not told, which may be told again', async () => {
      const kept = cookieFetch()
      const [one, other] = [open(kept), open(kept)]
      let count = 0
      other.onSignOut(() => count++)
      await one.login(ada)
      await heard(isToken(other, await one.accessToken()))
      server.instead = (_asked, response) => Boolean(response.writeHead(503).end())
      await assert.rejects(one.logout(), { code: 'temporarily_unavailable' })
      await heard(async () => count === 1)
      server.instead = undefined
      await one.logout()
      assert.equal(await open(kept).isSignedIn(), false)
    })

    it('does not end the session of somebody who logs in meanwhile in another tab', async () => {
      const kept = cookieFetch()
      const [one, other] = [open(kept), open(kept)]
      await one.login(ada)
      await heard(isToken(other, await one.accessToken()))
      const held = hold('POST /auth/session')
      server.forget()
      const loggedIn = other.login({ ...ada, username: 'bob' })
      await held.arrived
      const loggedOut = one.logout()
      held.release()
      await Promise.all([loggedIn, loggedOut])
      assert.equal(server.askedFor('DELETE /auth/session').length, 0)
      assert.equal((await read(await one.fetch(items()))).owner, 'bob')
    })
  })

  it('refuses an issuer and resources that are no URLs of servers', () => {
    for (const url of [
      undefined,
      7,
      '',
      '/auth',
      'ftp://a.example',
      'https://a:b@c.example',
      'https://a?b',
      'https://a#b',
    ]) {
      assert.throws(() => start({ issuer: url as string }), {
        name: 'TypeError',
        message: /^issuer takes http or https/,
      })
      assert.throws(() => start({ resources: [url as string] }), { message: /^resources takes http or https/ })
    }
    for (const options of [undefined, null, 'https://a.example']) {
      assert.throws(() => createClient(options as unknown as ClientOptions), /createClient takes an object with issuer/)
    }
    assert.doesNotThrow(() => start({ issuer: 'http://a.example/auth' }))
    assert.throws(
      () => start({ issuer: 'https://a:secret@c.example' }),
      (error) => !`${error}`.includes('secret'),
    )
  })
})

describe('a process that has a client', () => {
  it('ends by itself', async () => {
    const { execFile } = await import('node:child_process')
    const door = new URL('../client.ts', import.meta.url)
    const program = `
      import { createClient } from ${JSON.stringify(door.href)}
      for (const storage of [undefined, 'cookie']) createClient({ issuer: 'http://127.0.0.1:1', ...(storage && { storage }) })`
    const child = execFile(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 })
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })
})
