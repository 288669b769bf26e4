import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createVerifier, type Caller } from 'keystile'
import {
  createGuardCore,
  issueAccessToken,
  keySetOf,
  OAuthError,
  ProblemError,
  readWebRequest,
  silentLogger,
  systemClock,
  tokenError,
  type AnswerStream,
  type HttpAnswer,
} from 'keystile/internal'
import { generateKey } from 'keystile/jwt'
import { DatabaseBusyError, DatabaseUnavailableError } from '../storage/database.ts'
import { createRouteNames } from './route-finder.ts'
import type { GuardedRoute, OpenRoute, OptionalRoute } from './route.ts'
import { createRouter } from './router.ts'

const doc = { tag: 'Tokens', summary: 'x', success: { status: 200, description: 'x' } } as const
const issuer = 'https://auth.example/base'
const corsOrigins = ['https://app.example']
const ok: OpenRoute['handle'] = () => ({ status: 200, headers: { x: 'y' }, body: 'ok' })

const verifier = createVerifier({
  issuer,
  audience: issuer,
  keys: { find: () => undefined },
  revocations: 'none',
})
const guard = createGuardCore({ verifier, user: () => ({ id: 'somebody' }) })
const isFirstParty = (): boolean => true

function routeTo(
  handle: OpenRoute['handle'],
  refusals: OpenRoute['refusals'] = 'problem',
): OpenRoute {
  return { method: 'GET', path: '/it', below: 'issuer', refusals, doc, handle }
}

async function ask(route: OpenRoute, path: string, method = 'GET', log: object[] = []) {
  const logger = { ...silentLogger, error: (fields: object) => log.push(fields) }
  return createRouter([route], { issuer, corsOrigins, guard, logger, isFirstParty })(
    readWebRequest(new Request(`https://other.example${path}`, { method })),
  )
}

type Person = Caller<string, { id: string }>
const key = generateKey('ES256')
const guarded: GuardedRoute<Person> = { ...routeTo(ok), guard: { scopes: [] } }

/** Returns a token of a user who has logged in some time ago. */
function bearer(scopes: readonly string[] = [], ageMilliseconds = 0): string {
  const claims = {
    issuer,
    audience: issuer,
    subject: 'ada',
    clientId: 'c',
    sessionId: 's',
    authenticatedAt: Date.now() - ageMilliseconds,
    scopes,
  }
  return `Bearer ${issueAccessToken(claims, key, 60, systemClock)}`
}

/** Returns a function that sends requests to a route whose guard accepts tokens of `bearer`. */
function sendTo(route: GuardedRoute<Person> | OptionalRoute<Person>, isOwn = isFirstParty) {
  const verifier = createVerifier({
    issuer,
    audience: issuer,
    keys: keySetOf([key]),
    revocations: 'none',
  })
  const guard = createGuardCore({ verifier, user: () => ({ id: 'somebody' }) })
  const options = { issuer, corsOrigins, guard, logger: silentLogger, isFirstParty: isOwn }
  const router = createRouter([route], options)
  return (headers: Readonly<Record<string, string>>): Promise<HttpAnswer | undefined> =>
    router(readWebRequest(new Request(`${issuer}/it`, { headers })))
}

describe('createRouter', () => {
  it('under any host name, the router answers only the exact paths of its routes', async () => {
    assert.equal((await ask(routeTo(ok), '/base/it?x=1'))!.body, 'ok')
    for (const path of [
      '/it',
      '/base/it/',
      '/base/IT',
      '/base/%69t',
      '/base',
      '/',
      '/base/it.json',
    ])
      assert.equal(await ask(routeTo(ok), path), undefined, path)
  })

  it('a path is below the path of the issuer, or below the root of the host', () => {
    const nameOf = (below: 'issuer' | 'root', issuer: string, path: string): string | undefined =>
      createRouteNames(
        [{ ...routeTo(ok), below }],
        issuer,
      )(readWebRequest(new Request(`https://other.example${path}`)))
    assert.equal(nameOf('root', issuer, '/it'), '/it')
    assert.equal(nameOf('root', issuer, '/base/it'), undefined)
    assert.equal(nameOf('issuer', issuer, '/base/it?x=1'), '/base/it')
    assert.equal(nameOf('issuer', 'https://auth.example', '/it'), '/it')
  })

  it('the router answers HEAD like GET, without the body (RFC 9110 §9.3.2)', async () => {
    assert.deepEqual(await ask(routeTo(ok), '/base/it', 'HEAD'), {
      status: 200,
      headers: { x: 'y' },
      body: undefined,
    })
  })

  it('the router returns 405 with Allow if the path exists with other methods', async () => {
    const answer = await ask(routeTo(ok), '/base/it', 'POST')
    assert.equal(answer!.status, 405)
    assert.equal(answer!.headers['allow'], 'GET')
  })

  it('the router returns 500 for a bug, and logs the cause with an incident id', async () => {
    const log: { incident?: string; err?: Error }[] = []
    const answer = await ask(
      routeTo(() => {
        throw new Error('select secret from /etc')
      }),
      '/base/it',
      'GET',
      log,
    )
    assert.equal(answer!.status, 500)
    assert.doesNotMatch(answer!.body!, /select|etc/)
    assert.ok(answer!.body!.includes(log[0]!.incident!))
    assert.equal(log[0]!.err!.message, 'select secret from /etc')
  })

  it('the router returns 503 with Retry-After if the database is down', async () => {
    const fail = (): never => {
      throw new DatabaseUnavailableError('ECONNREFUSED 10.0.0.1')
    }
    for (const refusals of ['oauth', 'problem'] as const) {
      const answer = await ask(routeTo(fail, refusals), '/base/it')
      assert.equal(answer!.status, 503)
      assert.equal(answer!.headers['retry-after'], '1')
      assert.doesNotMatch(answer!.body!, /ECONN/)
      if (refusals === 'oauth')
        assert.equal(JSON.parse(answer!.body!).error, 'temporarily_unavailable')
    }
  })

  it('the router writes an OAuth error as RFC 6749 §5.2 demands, and adds "detail"', async () => {
    const answer = await ask(
      routeTo(() => {
        throw new OAuthError('invalid_grant', 'No', { reason: 'session_over', detail: 'inside' })
      }, 'oauth'),
      '/base/it',
    )
    assert.equal(answer!.status, 400)
    assert.deepEqual(JSON.parse(answer!.body!), {
      error: 'invalid_grant',
      error_description: 'No',
      detail: 'No',
    })
  })

  it('for HEAD, the router cancels the stream of the answer, and sends no body', async () => {
    let isCancelled = false
    const stream: AnswerStream = new ReadableStream({ cancel: () => void (isCancelled = true) })
    const route = routeTo(() => ({ status: 200, headers: {}, stream }))
    assert.equal((await ask(route, '/base/it'))?.stream, stream)
    assert.equal(isCancelled, false)
    const head = await ask(route, '/base/it', 'HEAD')
    assert.deepEqual([head?.status, head?.stream], [200, undefined])
    assert.equal(isCancelled, true)
  })

  it('the router prefers /users/me to /users/{id}; {id} matches no percent encoding', async () => {
    const tell =
      (name: string): OpenRoute['handle'] =>
      ({ params }) => ({ status: 200, headers: {}, body: `${name} ${JSON.stringify(params)}` })
    const routes = [
      { ...routeTo(tell('one')), path: '/users/{id}' },
      { ...routeTo(tell('me')), path: '/users/me' },
      { ...routeTo(tell('part')), path: '/users/{id}/a.b/{part}' },
    ]
    const find = async (path: string): Promise<string | undefined> =>
      (
        await createRouter(routes, {
          issuer,
          corsOrigins,
          guard,
          logger: silentLogger,
          isFirstParty,
        })(readWebRequest(new Request(`https://other.example/base${path}`)))
      )?.body
    assert.equal(await find('/users/me'), 'me {}')
    assert.equal(await find('/users/a_B-9'), 'one {"id":"a_B-9"}')
    assert.equal(await find('/users/x/a.b/y'), 'part {"id":"x","part":"y"}')
    for (const path of [
      '/users/',
      '/users/a%62',
      '/users/a/',
      '/users/a.b',
      '/users/x/acb/y',
      '/users/{id}',
      '/x/users/a',
    ])
      assert.equal(await find(path), undefined, path)
  })

  it('the router runs a guarded handler only if the guard admits the request', async () => {
    const ran: unknown[] = []
    const send = sendTo({
      ...guarded,
      guard: { scopes: ['read'] },
      handle(_request, { identity, user }) {
        ran.push([identity.subject, user])
        return { status: 200, headers: {} }
      },
    })
    for (const [status, headers] of [
      [401, {}],
      [401, { authorization: `${bearer(['read'])}x` }],
      [403, { authorization: bearer(['write']) }],
    ] as const) {
      const answer = await send(headers)
      assert.equal(answer?.status, status)
      assert.match(answer?.headers['www-authenticate'] ?? '', /^Bearer realm=/)
    }
    assert.deepEqual(ran, [])
    assert.equal((await send({ authorization: bearer(['read']) }))?.status, 200)
    assert.deepEqual(ran, [['ada', { id: 'somebody' }]])
  })

  it('without a token, the router calls only the handler of an optional route', async () => {
    const handle: OptionalRoute<Person>['handle'] = (_request, caller) => ({
      status: 200,
      headers: {},
      body: caller?.identity.subject ?? 'nobody',
    })
    const send = sendTo({ ...guarded, isOptional: true, handle })
    assert.equal((await send({}))?.body, 'nobody')
    assert.equal((await send({ authorization: bearer() }))?.body, 'ada')
    assert.equal((await sendTo(guarded)({}))?.status, 401)
  })

  it('a route with maxAgeSeconds refuses an old login and a missing scope', async () => {
    for (const scopes of [[], ['read']]) {
      const send = sendTo({ ...guarded, guard: { scopes, maxAgeSeconds: 60 } })
      const old = await send({ authorization: bearer(scopes, 3_600_000) })
      assert.match(old?.headers['www-authenticate'] ?? '', /max_age="60"/)
      assert.equal((await send({ authorization: bearer(scopes) }))?.status, 200)
      const other = await send({ authorization: bearer(['write']) })
      assert.equal(other?.status, scopes.length > 0 ? 403 : 200)
    }
  })

  it('a route for the app refuses a token that was issued to another client', async () => {
    const authorization = bearer()
    const ofApp = { ...guarded, isFirstPartyOnly: true } as const
    assert.equal((await sendTo(ofApp, () => false)({ authorization }))?.status, 403)
    assert.equal((await sendTo(ofApp)({ authorization }))?.status, 200)
    assert.equal((await sendTo(guarded, () => false)({ authorization }))?.status, 200)
  })

  it('createRouter refuses a route that demands an undeclared scope', () => {
    const route: GuardedRoute<Caller<string, { id: string }>> = {
      ...routeTo(ok),
      guard: { scopes: ['raed'] },
    }
    const guard = createGuardCore({
      verifier,
      scopes: { read: 'Read' },
      user: () => ({ id: 'somebody' }),
    })
    assert.throws(
      () =>
        createRouter([route], { issuer, corsOrigins, guard, logger: silentLogger, isFirstParty }),
      /"raed" is not declared/,
    )
  })

  it('the router logs the reason for a refusal, with the detail if there is one', async () => {
    const logged: object[] = []
    const note = (fields: object): void => void logged.push(fields)
    const fail = async (error: Error): Promise<void> => {
      const logger = { ...silentLogger, debug: note, error: note }
      const route = routeTo(() => {
        throw error
      })
      await createRouter([route], { issuer, corsOrigins, guard, logger, isFirstParty })(
        readWebRequest(new Request(`${issuer}/it`)),
      )
    }
    await fail(tokenError('wrong_type', { detail: '"typ" is not at+jwt' }))
    await fail(new OAuthError('invalid_grant', 'x', { reason: 'session_over' }))
    await fail(new ProblemError('temporarily_unavailable', 'x', { reason: 'hash_queue_full' }))
    await fail(new ProblemError('conflict', 'x'))
    const route = '/base/it'
    assert.deepEqual(logged, [
      { route, status: 401, reason: 'wrong_type', detail: '"typ" is not at+jwt' },
      { route, status: 400, reason: 'session_over' },
      { route, status: 503, reason: 'hash_queue_full' },
      { route, status: 409 },
    ])
    await fail(tokenError('keys_unavailable'))
    assert.partialDeepStrictEqual(logged.at(-1), { route, reason: 'keys_unavailable' })
  })

  it('the router logs refusals at level debug, and outages and bugs as errors', async () => {
    const lines: string[] = []
    const note =
      (level: string) =>
      (_fields: object, message: string): void =>
        void lines.push(`${level} ${message}`)
    const logger = { ...silentLogger, debug: note('debug'), error: note('error') }
    const fail = async (error: Error): Promise<void> => {
      const route = routeTo(() => {
        throw error
      })
      await createRouter([route], { issuer, corsOrigins, guard, logger, isFirstParty })(
        readWebRequest(new Request(`${issuer}/it`)),
      )
    }
    await fail(new ProblemError('conflict', 'x'))
    await fail(new ProblemError('temporarily_unavailable', 'x', { retryAfterSeconds: 1 }))
    await fail(new DatabaseBusyError('x'))
    await fail(new ProblemError('temporarily_unavailable', 'x', { cause: new Error('y') }))
    await fail(new ProblemError('internal_server_error', 'x'))
    await fail(new DatabaseUnavailableError('x'))
    await fail(new Error('x'))
    const errors = ['error unavailable', 'error unavailable', 'error unavailable', 'error failed']
    assert.deepEqual(lines, ['debug refused', 'debug refused', 'debug refused', ...errors])
  })
})
