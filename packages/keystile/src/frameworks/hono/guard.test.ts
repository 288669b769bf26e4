import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Hono } from 'hono'
import { ProblemError } from '../../base/errors.ts'
import type { Identity } from '../../guard/identity.ts'
import { createVerifier } from '../../guard/verifier.ts'
import type { HttpRequestWithBody } from '../../http/message.ts'
import { problemAnswer } from '../../http/problem.ts'
import { generateKey } from '../../keys/generate-key.ts'
import { keySetOf } from '../../keys/jwk-set.ts'
import { issueAccessToken } from '../../token/access-token.ts'
import type { Mountable } from '../mountable.ts'
import { createGuard, mount } from './guard.ts'

const clock = { now: () => 1_800_000_000_000 }
const key = generateKey('ES256')
const issuer = 'https://auth.example'
const verifier = createVerifier({
  issuer,
  audience: 'api',
  keys: keySetOf([key]),
  revocations: 'none',
  clock,
})

const bearer = (
  subject = 'alice',
  ...scopes: readonly string[]
): { headers: { authorization: string } } => {
  const content = {
    issuer,
    audience: 'api',
    subject,
    clientId: 'app',
    sessionId: 's',
    scopes,
    authenticatedAt: 0,
  }
  return { headers: { authorization: `Bearer ${issueAccessToken(content, key, 600, clock)}` } }
}

const guard = createGuard({
  verifier,
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
  user: (identity: Identity) =>
    identity.subject === 'ghost' ? undefined : { name: identity.subject.toUpperCase() },
})

const app = new Hono()
  .get('/items', guard('items:read'), (c) =>
    c.json({ who: c.var.identity.subject, user: c.var.user.name }),
  )
  .get('/me', guard(), (c) => c.json(guard.caller(c).user))
  .get('/news', guard.optional(), (c) => c.json({ for: c.var.user?.name ?? 'everybody' }))
  .get('/open', (c) => c.json(guard.caller(c).user))
app.get('/news/caller', guard.optional(), (c) =>
  c.json({ caller: guard.optional.caller(c)?.user.name ?? null }),
)
app.get('/news/required', guard.optional(), (c) => c.json(guard.caller(c).user))
app.onError((error, c) => c.json({ error: error.name, message: error.message }, 500))

const json = async (response: Response): Promise<unknown> => ({
  status: response.status,
  body: await response.json(),
})

describe('guard', () => {
  it('the Hono guard admits a good token, and the handler gets the caller', async () => {
    const expected = { status: 200, body: { who: 'alice', user: 'ALICE' } }
    assert.deepEqual(
      await json(await app.request('/items', bearer('alice', 'items:read', 'items:write'))),
      expected,
    )
    assert.deepEqual(await json(await app.request('/me', bearer('bob'))), {
      status: 200,
      body: { name: 'BOB' },
    })
  })

  const problem = (status: number, title: string, detail: string): object => ({
    type: 'about:blank',
    title,
    status,
    detail,
  })
  const invalidRequest = 'The Authorization header must be Bearer and one token'
  const refusals: readonly [string, RequestInit, number, string, object][] = [
    [
      'no credential',
      {},
      401,
      'Bearer realm="https://auth.example"',
      problem(401, 'Unauthorized', 'Not authenticated'),
    ],
    [
      'the scheme Basic',
      { headers: { authorization: 'Basic eDp5' } },
      401,
      'Bearer realm="https://auth.example"',
      problem(401, 'Unauthorized', 'Not authenticated'),
    ],
    [
      'a bad token',
      { headers: { authorization: 'Bearer abc' } },
      401,
      'Bearer realm="https://auth.example", error="invalid_token", ' +
        'error_description="Invalid token"',
      problem(401, 'Unauthorized', 'Invalid token'),
    ],
    [
      'a user who no longer exists',
      bearer('ghost', 'items:read'),
      401,
      'Bearer realm="https://auth.example", error="invalid_token", ' +
        'error_description="Invalid token"',
      problem(401, 'Unauthorized', 'Invalid token'),
    ],
    [
      'a missing scope',
      bearer('alice', 'items:write'),
      403,
      'Bearer realm="https://auth.example", error="insufficient_scope", ' +
        'error_description="The token lacks a required scope", scope="items:read"',
      problem(403, 'Forbidden', 'The token lacks a required scope'),
    ],
    [
      'Bearer without a token',
      { headers: { authorization: 'Bearer' } },
      400,
      'Bearer realm="https://auth.example", error="invalid_request", ' +
        'error_description="The Authorization header must be Bearer and one token"',
      problem(400, 'Bad Request', invalidRequest),
    ],
    [
      'two Authorization headers',
      {
        headers: [
          ['authorization', 'Bearer abc'],
          ['authorization', 'Bearer def'],
        ],
      },
      400,
      'Bearer realm="https://auth.example", error="invalid_request", ' +
        'error_description="The Authorization header must be Bearer and one token"',
      problem(400, 'Bad Request', invalidRequest),
    ],
  ]
  for (const [name, init, status, challenge, body] of refusals) {
    it(`the Hono guard returns ${status} for ${name} (RFC 6750 §3)`, async () => {
      const response = await app.request('/items', init)
      assert.equal(response.status, status)
      assert.equal(response.headers.get('www-authenticate'), challenge)
      assert.equal(response.headers.get('content-type'), 'application/problem+json')
      assert.equal(response.headers.get('cache-control'), 'no-store')
      assert.deepEqual(await response.json(), body)
    })
  }

  it('the Hono guard ignores tokens in query, body and cookie (RFC 6750 §2.2 §2.3)', async () => {
    const token = bearer('alice', 'items:read').headers.authorization.slice(7)
    const form = { method: 'POST', body: new URLSearchParams({ access_token: token }) }
    const posting = new Hono().post('/items', guard(), (c) => c.text('in'))
    assert.equal((await posting.request('/items', form)).status, 401)
    assert.equal((await app.request(`/me?access_token=${token}`)).status, 401)
    assert.equal(
      (await app.request('/me', { headers: { cookie: `access_token=${token}` } })).status,
      401,
    )
  })

  it('the Hono guard never runs the handler of a request that it refuses', async () => {
    let runs = 0
    const counting = new Hono().all('*', guard('items:read'), (c) => {
      runs++
      return c.text('in')
    })
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      assert.equal((await counting.request('/x', { method })).status, 401)
      assert.equal((await counting.request('/x', { method, ...bearer('alice') })).status, 403)
    }
    assert.equal(runs, 0)
  })

  it('the Hono guard gives each of two simultaneous requests its own caller', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `user${i}`)
    const answers = await Promise.all(
      names.map(async (name) => (await app.request('/me', bearer(name))).json()),
    )
    assert.deepEqual(
      answers,
      names.map((name) => ({ name: name.toUpperCase() })),
    )
  })

  it('the Hono guard refuses a login that is too old for the route (RFC 9470)', async () => {
    const recent = new Hono().get('/', guard({ scopes: ['items:read'], maxAgeSeconds: 300 }), (c) =>
      c.text('in'),
    )
    // The login of this token was in 1970.
    const response = await recent.request('/', bearer('alice', 'items:read'))
    assert.equal(response.status, 401)
    assert.match(
      response.headers.get('www-authenticate') ?? '',
      /error="insufficient_user_authentication".*max_age="300"$/,
    )
  })

  it('a Hono guard without user() does not change the context variable `user`', async () => {
    const own = new Hono<{ Variables: { user: string } }>()
    own.use((c, next) => {
      c.set('user', 'of the app')
      return next()
    })
    own.use(createGuard({ verifier })())
    own.get('/', (c) => c.text(c.var.user))
    assert.equal(await (await own.request('/', bearer())).text(), 'of the app')
  })

  it('the Hono guard refuses an undeclared scope when the app creates the route', () => {
    assert.throws(() => (guard as (...scopes: string[]) => unknown)('items:raed'), /not declared/)
    assert.throws(
      () => (guard.optional as (...scopes: string[]) => unknown)('constructor'),
      /not declared/,
    )
  })
})

describe('guard.optional', () => {
  it('guard.optional for Hono admits requests with and without a token', async () => {
    assert.deepEqual(await json(await app.request('/news')), {
      status: 200,
      body: { for: 'everybody' },
    })
    assert.deepEqual(await json(await app.request('/news', bearer())), {
      status: 200,
      body: { for: 'ALICE' },
    })
    assert.deepEqual(await json(await app.request('/news/caller')), {
      status: 200,
      body: { caller: null },
    })
    assert.deepEqual(await json(await app.request('/news/caller', bearer())), {
      status: 200,
      body: { caller: 'ALICE' },
    })
  })

  it('guard.optional for Hono refuses a wrong credential', async () => {
    assert.equal(
      (await app.request('/news', { headers: { authorization: 'Bearer abc' } })).status,
      401,
    )
    assert.equal((await app.request('/news', { headers: { authorization: 'Bearer' } })).status, 400)
    assert.equal((await app.request('/news', bearer('ghost'))).status, 401)
  })
})

describe('guard.caller', () => {
  it('guard.caller for Hono throws if no mandatory guard has run', async () => {
    for (const path of ['/open', '/news/required']) {
      const { status, body } = (await json(await app.request(path))) as {
        status: number
        body: { error: string }
      }
      assert.deepEqual([status, body.error], [500, 'TypeError'])
    }
  })
})

describe('guard.check', () => {
  it('guard.check for Hono checks a web Request outside a route', async () => {
    const url = 'http://localhost/socket'
    const allowed = await guard.check(new Request(url, bearer('alice', 'items:read')), 'items:read')
    assert.equal(allowed.allowed && allowed.caller?.user.name, 'ALICE')
    const refused = await guard.check(new Request(url, bearer('alice')), 'items:read')
    assert.equal(!refused.allowed && refused.answer.status, 403)
    const anonymous = await guard.check(new Request(url))
    assert.equal(!anonymous.allowed && anonymous.error.code, 'not_authenticated')
  })
})

describe('mount()', () => {
  const seen: HttpRequestWithBody[] = []
  const keystile: Mountable = {
    async answer(request) {
      seen.push(request)
      const { pathname } = new URL(request.url)
      if (pathname !== '/auth/echo') return undefined
      try {
        const body = Buffer.from(await request.body(10)).toString()
        return { status: 200, headers: { 'x-own': 'yes' }, body: `${request.method} ${body}` }
      } catch (error) {
        if (error instanceof ProblemError) return problemAnswer(error)
        throw error
      }
    },
  }
  const mounted = new Hono()
    .use(mount(keystile))
    .get('/items', (c) => c.text('items'))
    .post('/json', async (c) => c.json(await c.req.json()))

  it('mount() for Hono responds to requests for Keystile’s own paths', async () => {
    const response = await mounted.request('/auth/echo', { method: 'POST', body: '0123456789' })
    assert.deepEqual([response.status, response.headers.get('x-own')], [200, 'yes'])
    assert.equal(await response.text(), 'POST 0123456789')
    assert.equal(await (await mounted.request('/auth/echo')).text(), 'GET ')
  })

  it('mount() for Hono does not read the body of a request that the app answers', async () => {
    assert.equal(await (await mounted.request('/items')).text(), 'items')
    assert.equal((await mounted.request('/auth/other')).status, 404)
    const response = await mounted.request('/json', { method: 'POST', body: '{"a":1}' })
    assert.deepEqual(await response.json(), { a: 1 })
  })

  it('mount() for Hono reports the cause if a request body ends too early', async () => {
    const gone = new Error('gone')
    const body = new ReadableStream({ start: (controller) => controller.error(gone) })
    const init = { method: 'POST', body, duplex: 'half' }
    await mounted.request('/other', init as RequestInit)
    await assert.rejects(seen.at(-1)!.body(10), {
      name: 'ProblemError',
      code: 'bad_request',
      message: 'The body ended early',
      cause: gone,
    })
  })

  it('mount() for Hono returns 413 if the body is too large', async () => {
    const response = await mounted.request('/auth/echo', { method: 'POST', body: '0123456789a' })
    assert.equal(response.status, 413)
    assert.equal(
      ((await response.json()) as { detail: string }).detail,
      'The body must have at most 10 bytes',
    )
  })
})
