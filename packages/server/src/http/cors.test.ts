import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createVerifier } from 'keystile'
import {
  createGuardCore,
  OAuthError,
  readWebRequest,
  silentLogger,
  type HttpAnswer,
} from 'keystile/internal'
import { allowOrigins } from './cors.ts'
import type { OpenRoute } from './route.ts'
import { createRouter } from './router.ts'

const issuer = 'https://auth.example/base'
const listed = 'https://app.example'
const another = 'https://other.example:8443'
const doc = { tag: 'Tokens', summary: 'x', success: { status: 200, description: 'x' } } as const
const verifier = createVerifier({
  issuer,
  audience: issuer,
  keys: { find: () => undefined },
  revocations: 'none',
})
const guard = createGuardCore({ verifier })

const routeTo = (
  method: OpenRoute['method'],
  path: string,
  handle: OpenRoute['handle'],
): OpenRoute => ({
  method,
  path,
  below: 'issuer',
  refusals: 'oauth',
  doc,
  handle,
})
const ok: OpenRoute['handle'] = () => ({ status: 200, headers: { x: 'y' }, body: 'ok' })
const refuse: OpenRoute['handle'] = () => {
  throw new OAuthError('temporarily_unavailable', 'Not now', { retryAfterSeconds: 1 })
}
const routes = [
  routeTo('POST', '/token', refuse),
  routeTo('GET', '/users/{id}', ok),
  routeTo('PATCH', '/users/{id}', ok),
  routeTo('POST', '/session', ok),
  routeTo('DELETE', '/session', ok),
  routeTo('POST', '/session/refresh', ok),
  routeTo('GET', '/sessions', ok),
  routeTo('GET', '/page', () => ({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', vary: 'Accept-Language' },
  })),
]
const router = createRouter(routes, {
  issuer,
  corsOrigins: [listed, another],
  guard,
  logger: silentLogger,
  isFirstParty: () => true,
})

async function ask(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  origins: readonly string[] = [listed, another],
): Promise<HttpAnswer | undefined> {
  const answer = allowOrigins(router, { cookiePath: '/base/session', origins })
  return answer(readWebRequest(new Request(`https://auth.example${path}`, { method, headers })))
}

const corsOf = (answer: HttpAnswer | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(answer!.headers).filter(([name]) => /^access-control|^vary$/.test(name)),
  )
const preflight = (origin: string): Readonly<Record<string, string>> => ({
  origin,
  'access-control-request-method': 'PATCH',
  'access-control-request-headers': 'authorization, x-evil',
})
const exposed = { 'access-control-expose-headers': 'Retry-After, WWW-Authenticate, Location' }

describe('allowOrigins', () => {
  it('CORS lets pages of each listed origin read answers and refusals', async () => {
    for (const origin of [listed, another]) {
      const answer = await ask('GET', '/base/users/x', { origin })
      assert.deepEqual([answer!.status, answer!.headers['x'], answer!.body], [200, 'y', 'ok'])
      assert.deepEqual(corsOf(answer), {
        vary: 'Origin',
        'access-control-allow-origin': origin,
        ...exposed,
      })
      const refused = await ask('POST', '/base/token', { origin })
      assert.deepEqual([refused!.status, refused!.headers['retry-after']], [503, '1'])
      assert.deepEqual(corsOf(refused), {
        vary: 'Origin',
        'access-control-allow-origin': origin,
        ...exposed,
      })
    }
  })

  it('a request from an unlisted origin gets the usual answer, without CORS headers', async () => {
    for (const headers of [
      {},
      { origin: '' },
      { origin: 'null' },
      { origin: '*' },
      { origin: 'https://evil.example' },
      { origin: 'https://app.example.evil.example' },
      { origin: 'https://evil.app.example' },
      { origin: 'http://app.example' },
      { origin: 'https://app.example:443' },
      { origin: 'https://APP.example' },
      { origin: `${listed}/` },
      { origin: `${listed}, ${another}` },
      { origin: 'https://auth.example' },
    ] as Readonly<Record<string, string>>[]) {
      const cookie = { cookie: 'a=b', authorization: 'Bearer x' }
      const answer = await ask('GET', '/base/users/x', { ...headers, ...cookie })
      assert.deepEqual(answer, { status: 200, headers: { x: 'y', vary: 'Origin' }, body: 'ok' })
      assert.deepEqual(corsOf(await ask('POST', '/base/session', { ...headers, ...cookie })), {
        vary: 'Origin',
      })
      const asked = await ask('OPTIONS', '/base/users/x', { ...preflight(''), ...headers })
      assert.deepEqual([asked!.status, asked!.headers['allow']], [405, 'GET, PATCH'])
      assert.deepEqual(corsOf(asked), { vary: 'Origin' })
    }
  })

  it('CORS answers a preflight with the methods of the path and the allowed headers', async () => {
    const answer = await ask('OPTIONS', '/base/users/x', preflight(listed))
    assert.deepEqual(answer, {
      status: 204,
      headers: {
        vary: 'Origin',
        'access-control-allow-origin': listed,
        'access-control-allow-methods': 'GET, PATCH',
        'access-control-allow-headers': 'Authorization, Content-Type',
        'access-control-max-age': '600',
      },
    })
  })

  it('CORS treats OPTIONS as a preflight only if the request asks for a method', async () => {
    const answer = await ask('OPTIONS', '/base/users/x', { origin: listed })
    assert.deepEqual(
      [answer!.status, answer!.headers['access-control-allow-methods']],
      [405, undefined],
    )
    const read = await ask('GET', '/base/users/x', preflight(listed))
    assert.deepEqual([read!.status, read!.body], [200, 'ok'])
    assert.equal((await ask('DELETE', '/base/users/x', preflight(listed)))!.status, 405)
  })

  it('CORS allows credentials only for listed origins on paths that use cookies', async () => {
    const credentials = async (
      method: string,
      path: string,
      headers = preflight(listed),
    ): Promise<unknown> =>
      (await ask(method, path, headers))!.headers['access-control-allow-credentials']
    for (const path of ['/base/session', '/base/session/refresh']) {
      assert.equal(await credentials('POST', path), 'true')
      assert.equal(await credentials('OPTIONS', `${path}?x`), 'true')
      assert.equal(await credentials('OPTIONS', path, preflight('https://evil.example')), undefined)
      assert.equal(await credentials('POST', path, { origin: 'https://evil.example' }), undefined)
    }
    for (const path of [
      '/base/token',
      '/base/users/x',
      '/base/sessions',
      '/base/token?/base/session',
    ]) {
      assert.equal(await credentials('POST', path), undefined, path)
      assert.equal(await credentials('OPTIONS', path), undefined, path)
    }
  })

  it('CORS lets no other origin read a page, and keeps what else the answer varies by', async () => {
    const answer = await ask('GET', '/base/page', { origin: listed })
    assert.deepEqual(corsOf(answer), { vary: 'Accept-Language, Origin' })
  })

  it('with CORS, requests and preflights to paths without a route go to the app', async () => {
    for (const method of ['GET', 'OPTIONS'])
      assert.equal(await ask(method, '/base/other', preflight(listed)), undefined)
  })

  it('CORS adds no headers if no origins are listed', async () => {
    assert.deepEqual(corsOf(await ask('GET', '/base/users/x', { origin: listed }, [])), {})
  })
})
