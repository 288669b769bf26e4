import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as open, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { ProblemError } from '../../base/errors.ts'
import type { Identity } from '../../guard/identity.ts'
import { createVerifier } from '../../guard/verifier.ts'
import { problemAnswer } from '../../http/problem.ts'
import { generateKey } from '../../keys/generate-key.ts'
import { importKey } from '../../keys/import-key.ts'
import { keySetOf } from '../../keys/jwk-set.ts'
import { issueAccessToken } from '../../token/access-token.ts'
import { signJwt } from '../../token/jwt.ts'
import type { Mountable } from '../mountable.ts'
import { createGuard, mount, type NodeMiddleware } from './guard.ts'

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

const bearer = (subject = 'alice', ...scopes: readonly string[]): { authorization: string } => {
  const content = {
    issuer,
    audience: 'api',
    subject,
    clientId: 'app',
    sessionId: 's',
    scopes,
    authenticatedAt: 0,
  }
  return { authorization: `Bearer ${issueAccessToken(content, key, 600, clock)}` }
}

const guard = createGuard({
  verifier,
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
  user: (identity: Identity) =>
    identity.subject === 'ghost' ? undefined : { name: identity.subject.toUpperCase() },
})

const maxBodyBytes = 1_000

/** Answers only /auth/echo, with the body of the request. */
const keystile: Mountable = {
  async answer(request) {
    if (request.url.split('?')[0] !== '/auth/echo') return undefined
    try {
      const body = Buffer.from(await request.body(maxBodyBytes)).toString()
      const own = { 'x-type': request.headers.get('content-type') ?? '' }
      return { status: 200, headers: own, body: `${request.method} ${body}` }
    } catch (error) {
      bodyRefusals.push(error instanceof Error ? error.message : String(error))
      if (error instanceof ProblemError) return problemAnswer(error)
      throw error
    }
  },
}
const bodyRefusals: string[] = []

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown
const send =
  (value: (request: IncomingMessage) => unknown): Handler =>
  (request, response) =>
    response.end(JSON.stringify(value(request)))

const behind: Readonly<Record<string, readonly [NodeMiddleware, Handler]>> = {
  '/items': [guard('items:read'), send((request) => guard.caller(request))],
  '/me': [guard(), send((request) => guard.caller(request).user)],
  '/news': [guard.optional(), send((request) => guard.optional.caller(request)?.user ?? null)],
  '/news/required': [guard.optional(), send((request) => guard.caller(request))],
  '/recent': [guard({ maxAgeSeconds: 300 }), send((request) => guard.caller(request))],
  '/open': [
    (_request, _response, next) => Promise.resolve(void next()),
    send((request) => guard.caller(request)),
  ],
  '/check': [(_request, _response, next) => Promise.resolve(void next()), checked],
}

async function checked(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const decision = await guard.check(request, 'items:read')
  response.end(JSON.stringify(decision.allowed ? decision.caller?.user : decision.answer.status))
}

const server = createServer((request, response) => {
  const [middleware, handler] = behind[(request.url ?? '').split('?')[0]!] ?? []
  const toApp = async (): Promise<void> => {
    if (middleware && handler) await middleware(request, response, () => handler(request, response))
    else response.writeHead(404).end('not ours')
  }
  void mount(keystile)(request, response, toApp)
})
let origin = ''
let port = 0

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  origin = `http://127.0.0.1:${port}`
})
after(() => new Promise((resolve) => server.close(resolve)))

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(origin + path, { headers })

/** Sends these lines as they are, and reads until the server closes the connection. */
async function raw(...lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(`${lines.join('\r\n')}\r\nHost: x\r\nConnection: close\r\n\r\n`)
  return readAll(socket)
}

async function readAll(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket.setEncoding('latin1')) text += chunk
  return text
}

describe('guard', () => {
  it('the node guard admits a good token, and the handler gets the caller', async () => {
    const response = await get('/items', bearer('alice', 'items:read'))
    const { identity, user } = (await response.json()) as { identity: Identity; user: object }
    assert.deepEqual([response.status, identity.subject, user], [200, 'alice', { name: 'ALICE' }])
  })

  const invalidRequest = 'The Authorization header must be Bearer and one token'
  const refusals: readonly [string, Record<string, string>, number, string, string][] = [
    ['no credential', {}, 401, '', 'Not authenticated'],
    ['the scheme Basic', { authorization: 'Basic eDp5' }, 401, '', 'Not authenticated'],
    ['a bad token', { authorization: 'Bearer abc' }, 401, 'invalid_token', 'Invalid token'],
    [
      'a user who no longer exists',
      bearer('ghost', 'items:read'),
      401,
      'invalid_token',
      'Invalid token',
    ],
    ['a missing scope', bearer(), 403, 'insufficient_scope', 'The token lacks a required scope'],
    ['Bearer without a token', { authorization: 'Bearer' }, 400, 'invalid_request', invalidRequest],
  ]
  for (const [name, headers, status, error, detail] of refusals) {
    it(`the node guard returns ${status} for ${name} (RFC 6750 §3)`, async () => {
      const response = await get('/items', headers)
      const description = detail.replaceAll('"', '')
      const challenge =
        'Bearer realm="https://auth.example"' +
        (error && `, error="${error}", error_description="${description}"`) +
        (status === 403 ? ', scope="items:read"' : '')
      assert.equal(response.status, status)
      assert.equal(response.headers.get('www-authenticate'), challenge)
      assert.equal(response.headers.get('content-type'), 'application/problem+json')
      assert.equal(response.headers.get('cache-control'), 'no-store')
      const titles: Record<number, string> = {
        400: 'Bad Request',
        401: 'Unauthorized',
        403: 'Forbidden',
      }
      assert.deepEqual(await response.json(), {
        type: 'about:blank',
        title: titles[status],
        status,
        detail,
      })
    })
  }

  it('the node guard returns 400 for two Authorization headers (OAuth 2.1 §5.1)', async () => {
    const { authorization } = bearer()
    for (const second of [
      'Authorization: Bearer abc',
      `authorization: ${authorization}`,
      'AUTHORIZATION: Basic eDp5',
    ]) {
      const answer = await raw('GET /me HTTP/1.1', `Authorization: ${authorization}`, second)
      assert.match(answer, /^HTTP\/1.1 400 /)
      assert.match(answer, /error="invalid_request"/)
    }
    assert.match(
      await raw('GET /me HTTP/1.1', `Authorization: ${authorization}`),
      /^HTTP\/1.1 200 /,
    )
    const decoys = ['Cache-Control: Bearer x', 'If-None-Match: Bearer y'] // names of equal length
    assert.match(
      await raw('GET /me HTTP/1.1', ...decoys, `Authorization: ${authorization}`),
      /^HTTP\/1.1 200 /,
    )
    assert.match(await raw('GET /me HTTP/1.1', ...decoys), /^HTTP\/1.1 401 /)
    assert.match(
      await raw('GET /me HTTP/1.1', `aUTHORIZATION: ${authorization.replace('Bearer', 'bEARER')}`),
      / 200 /,
    )
  })

  it('the node guard reads only the header Authorization (RFC 6750 §2.2 §2.3)', async () => {
    const token = bearer().authorization.slice(7)
    assert.equal((await get(`/me?access_token=${token}`)).status, 401)
    assert.equal(
      (await get('/me', { cookie: `access_token=${token}`, 'x-authorization': `Bearer ${token}` }))
        .status,
      401,
    )
    const body = new URLSearchParams({ access_token: token })
    assert.equal((await fetch(`${origin}/me`, { method: 'POST', body })).status, 401)
    assert.equal((await get('/me', { 'proxy-authorization': `Bearer ${token}` })).status, 401)
  })

  it('the node guard gives each of two simultaneous requests its own caller', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `user${i}`)
    const answers = await Promise.all(
      names.map(async (name) => (await get('/me', bearer(name))).json()),
    )
    assert.deepEqual(
      answers,
      names.map((name) => ({ name: name.toUpperCase() })),
    )
  })

  it('the node guard refuses a login that is too old for the route (RFC 9470)', async () => {
    const response = await get('/recent', bearer()) // the login was in 1970
    assert.equal(response.status, 401)
    assert.match(
      response.headers.get('www-authenticate') ?? '',
      /error="insufficient_user_authentication".*max_age="300"$/,
    )
  })

  it('the node guard refuses an undeclared scope when the app creates the route', () => {
    assert.throws(() => (guard as (...scopes: string[]) => unknown)('items:raed'), /not declared/)
    assert.throws(
      () => (guard.optional as (...scopes: string[]) => unknown)('constructor'),
      /not declared/,
    )
  })
})

describe('guard.optional', () => {
  it('guard.optional for node admits requests with and without a token', async () => {
    assert.equal(await (await get('/news')).text(), 'null')
    assert.deepEqual(await (await get('/news', bearer())).json(), { name: 'ALICE' })
  })

  it('guard.optional for node refuses a wrong credential', async () => {
    assert.equal((await get('/news', { authorization: 'Bearer abc' })).status, 401)
    assert.equal((await get('/news', { authorization: 'Bearer' })).status, 400)
    assert.equal((await get('/news', bearer('ghost'))).status, 401)
  })
})

describe('guard.caller', () => {
  it('guard.caller for node throws if no mandatory guard has run', async (t) => {
    t.mock.method(console, 'error', () => {})
    assert.equal((await get('/open')).status, 500)
    assert.equal((await get('/news/required')).status, 500)
  })
})

describe('guard.check', () => {
  it('guard.check for node refuses a second Authorization header', async () => {
    assert.deepEqual(await (await get('/check', bearer('alice', 'items:read'))).json(), {
      name: 'ALICE',
    })
    assert.equal(await (await get('/check', bearer())).text(), '403')
    assert.equal(await (await get('/check')).text(), '401')
    const twice = await raw(
      'GET /check HTTP/1.1',
      `Authorization: ${bearer().authorization}`,
      'Authorization: Bearer b',
    )
    assert.match(twice, /\r\n400(\r\n|$)/)
  })

  it('guard.check for node accepts a web Request, or any object with headers.get()', async () => {
    const headers = bearer('alice', 'items:read')
    const allowed = await guard.check(new Request(origin, { headers }), 'items:read')
    assert.equal(allowed.allowed && allowed.caller?.user.name, 'ALICE')
    const bare = {
      method: 'GET',
      url: '/',
      headers: { get: (name: string) => (name === 'authorization' ? undefined : '') },
    }
    const refused = await guard.check(bare)
    assert.equal(!refused.allowed && refused.error.code, 'not_authenticated')
  })
})

describe('mount()', () => {
  const post = (body: string): Promise<Response> =>
    fetch(`${origin}/auth/echo?x=1`, { method: 'POST', body })

  it('mount() for node answers Keystile’s paths and calls next() for other requests', async () => {
    const response = await post('hello')
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('x-type'), 'text/plain;charset=UTF-8')
    assert.equal(await response.text(), 'POST hello')
    const bare = await get('/auth/echo')
    assert.deepEqual([bare.headers.get('x-type'), await bare.text()], ['', 'GET '])
    assert.equal(await (await get('/auth/other')).text(), 'not ours')
  })

  it('mount() for node counts Content-Length in bytes, not in characters', async () => {
    assert.equal((await post('\u00e9\u00e9')).headers.get('content-length'), '9')
  })

  it('mount() for node accepts a body of the maximum size, and no larger body', async () => {
    assert.equal((await post('x'.repeat(maxBodyBytes))).status, 200)
    const response = await post('x'.repeat(maxBodyBytes + 1))
    assert.equal(response.status, 413)
    assert.equal(response.headers.get('connection'), 'close')
    assert.equal(
      ((await response.json()) as { detail: string }).detail,
      'The body must have at most 1000 bytes',
    )
  })

  for (const [name, headers] of [
    ['with Content-Length', { 'content-length': String(32 * 1024 * 1024) }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ] as const) {
    it(`the sender of 32 MB ${name} can read the 413 answer of mount() for node`, async () => {
      const sender = open(`${origin}/auth/echo`, { method: 'POST', headers })
      const answer = once(sender, 'response') // rejects if an error comes first
      Readable.from(Array.from({ length: 512 }, () => Buffer.alloc(64 * 1024, 'x'))).pipe(sender)
      const [response] = (await answer) as [IncomingMessage]
      sender.on('error', () => {}) // an error of the unsent part does not matter
      assert.equal(response.statusCode, 413)
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      assert.equal(JSON.parse(text).status, 413)
      sender.destroy()
    })
  }

  it('mount() for node still works if a client disconnects in the middle of a body', async () => {
    bodyRefusals.length = 0
    for (const head of ['Content-Length: 500', 'Transfer-Encoding: chunked']) {
      const socket = connect(port, '127.0.0.1')
      const ended = once(server, 'request')
      socket.write(`POST /auth/echo HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n5\r\nhello`)
      const [request] = (await ended) as [IncomingMessage]
      const closed = new Promise((resolve) => request.once('close', resolve))
      socket.destroy()
      await closed
      assert.equal((await post('still here')).status, 200)
    }
    assert.deepEqual(bodyRefusals, ['The body ended early', 'The body ended early'])
  })

  /** Returns the body, or the error, of a request whose body is read after `prepare`. */
  const bodyAfter = async (
    prepare: (request: IncomingMessage) => Promise<unknown>,
    head: string,
  ): Promise<unknown> => {
    const late = createServer()
    late.listen(0, '127.0.0.1')
    await once(late, 'listening')
    const socket = connect((late.address() as AddressInfo).port, '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\nhello`)
    const [request, response] = (await once(late, 'request')) as [IncomingMessage, ServerResponse]
    await prepare(request)
    let outcome: unknown
    const asked: Mountable = {
      async answer(request) {
        outcome = await request.body(maxBodyBytes).catch((error: unknown) => error)
        return undefined
      },
    }
    await mount(asked)(request, response, () => {})
    socket.destroy()
    late.close()
    return outcome
  }

  it('mount() for node fails immediately if a parser has already read the body', async () => {
    const outcome = await bodyAfter((request) => request.toArray(), 'Content-Length: 5')
    assert.ok(outcome instanceof TypeError)
    assert.match(outcome.message, /before any body parser/)
  })

  it('mount() for node does not wait for the body if the sender has disconnected', async () => {
    const outcome = await bodyAfter(async (request) => {
      const closed = new Promise((resolve) => request.once('close', resolve))
      request.socket.destroy()
      await closed
    }, 'Content-Length: 500')
    assert.ok(outcome instanceof ProblemError)
    assert.deepEqual([outcome.code, outcome.message], ['bad_request', 'The body ended early'])
  })

  it('mount() for node reports a request that breaks off in the middle of its body', async () => {
    const outcome = await bodyAfter(
      async (request) => void setImmediate(() => request.emit('error', new Error('reset'))),
      'Content-Length: 500',
    )
    assert.ok(outcome instanceof ProblemError)
    assert.deepEqual([outcome.code, outcome.message], ['bad_request', 'The body ended early'])
  })

  it('mount() for node does not wait for the body of a destroyed request', async () => {
    const giveUp = async (request: IncomingMessage): Promise<unknown> =>
      setImmediate(() => request.destroy())
    const outcome = await bodyAfter(giveUp, 'Content-Length: 500')
    assert.ok(outcome instanceof ProblemError)
    assert.deepEqual([outcome.code, outcome.message], ['bad_request', 'The body ended early'])
  })
})

describe('errors of handlers behind the node guard', () => {
  it('if a handler throws, node middleware returns 500 without the error message', async (t) => {
    const printed: unknown[] = []
    t.mock.method(console, 'error', (error: unknown) => printed.push(error))
    const secret = 'kQ3v9ZpX1mW7tY5uB2nR8sD4fG6hJ0lA'
    const verifier = createVerifier({
      issuer: 'i',
      audience: 'a',
      keys: secret,
      revocations: 'none',
    })
    const key = importKey({ secret, algorithm: 'HS256' })
    const claims = { iss: 'i', aud: 'a', sub: 's', client_id: 'c', jti: 'j' }
    const token = signJwt(claims, key, { expiresInSeconds: 60, type: 'at+jwt' })
    let entered = 0
    const failing: Record<string, NodeMiddleware> = {
      '/user': createGuard({
        verifier,
        user: () => Promise.reject(new Error('select from people')),
      })(),
      '/handler': createGuard({ verifier })(),
      '/half': createGuard({ verifier })(),
    }
    const server = createServer((request, response) => {
      void failing[request.url!]!(request, response, () => {
        entered++
        if (request.url === '/half') response.writeHead(200).write('half')
        throw new Error('inside')
      })
    })
    server.listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const ask = (path: string): Promise<Response> =>
      fetch(url + path, { headers: { authorization: `Bearer ${token}` } })
    const user = await ask('/user')
    assert.equal(user.status, 500)
    assert.doesNotMatch(await user.text(), /select|people/)
    assert.equal(entered, 0)
    const handler = await ask('/handler')
    assert.equal(handler.status, 500)
    assert.equal(((await handler.json()) as { detail: string }).detail, 'Internal error')
    await assert.rejects(ask('/half').then((response) => response.text()))
    assert.deepEqual(
      printed.map((error) => (error as Error).message),
      ['select from people', 'inside', 'inside'],
    )
  })
})
