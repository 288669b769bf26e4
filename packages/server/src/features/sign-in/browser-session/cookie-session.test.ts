import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, silentLogger, type HttpAnswer } from 'keystile/internal'
import { noMeter } from '../../../feature/metric.ts'
import { DatabaseUnavailableError } from '../../../storage/database.ts'
import { noLimits } from '../../operations/limits/limits.ts'
import type { IssuedTokens } from '../../tokens/sessions/issuing.ts'
import type { ProvedRefreshToken } from '../../tokens/sessions/refresh.ts'
import { readDeviceSecret } from '../known-devices/device-cookie.ts'
import { cookieSessionRoutes, type CookieSessionParts } from './cookie-session.ts'
import { createSessionCookies } from './session-cookie.ts'

const issuer = 'https://auth.example/base'
const proved: ProvedRefreshToken = {
  token: { id: 'id', secret: 'secret' },
  sessionId: 'sid',
  subject: 'ada',
  clientId: 'first-party',
  scopes: [],
  isOld: false,
}
const issued: IssuedTokens = {
  accessToken: 'a',
  refreshToken: 'r',
  expiresInSeconds: 1,
  scopes: [],
}

const parts = {
  issuer,
  meter: noMeter,
  corsOrigins: [],
  lifetimes: { sessionSeconds: 100, idleSeconds: 100 },
  limits: noLimits,
  directory: { findActive: async () => 'ada', scopes: () => [] },
  scopes: { declared: {}, defaults: [], roles: {} },
} as unknown as CookieSessionParts

/**
 * Sends a cookie to a route. The route looks up the token in the cookie with `find`. Returns the
 * answer, and what the route did with the token.
 */
async function send(
  [method, path]: readonly ['POST', '/session/refresh'] | readonly ['DELETE', '/session'],
  find: (token: string) => Promise<ProvedRefreshToken | undefined>,
  { query = '', cookie = '__Secure-keystile=x' } = {},
): Promise<{
  readonly answer: HttpAnswer
  readonly done: readonly string[]
  readonly log: readonly object[]
}> {
  const done: string[] = []
  const log: object[] = []
  const routes = cookieSessionRoutes({
    ...parts,
    ends: { end: async (id: string) => done.push(`ended ${id}`) > 0 },
    logger: { ...silentLogger, debug: (fields: object) => void log.push(fields) },
    audit: { record: async ({ event }: { readonly event: string }) => void log.push({ event }) },
    refresher: {
      find,
      use: async ({ sessionId }: ProvedRefreshToken) => (done.push(`used ${sessionId}`), issued),
    },
  })
  const route = routes.find((candidate) => candidate.method === method && candidate.path === path)!
  const answer = await route.handle({
    method,
    url: `${path}${query}`,
    headers: new Headers({ origin: 'https://auth.example', cookie }),
    body: async () => new Uint8Array(),
    params: {},
  })
  return { answer, done, log }
}

const refresh = ['POST', '/session/refresh'] as const
const logout = ['DELETE', '/session'] as const
const away = async (): Promise<never> => {
  throw new DatabaseUnavailableError('away')
}

describe('the cookies of a session', () => {
  it('the device secret has a cookie of its own, which no script can read', () => {
    const cookies = createSessionCookies({ issuer: 'https://auth.example', maxAgeSeconds: 100 })
    const [session, device, ofPages] = cookies.set('token', 'secret')
    assert.equal(
      session,
      '__Secure-keystile=token; Max-Age=100; Path=/session; Secure; HttpOnly; SameSite=Strict',
    )
    assert.match(
      device ?? '',
      /^__Secure-keystile-device=secret; Max-Age=\d{8}; Path=\/session; Secure; HttpOnly; S/,
    )
    assert.equal(ofPages, device?.replace('/session', '/account'))
    const headers = new Headers({ cookie: `a=b; ${device}` })
    const request = { method: 'POST', url: '/session', headers, body: async () => new Uint8Array() }
    assert.equal(readDeviceSecret(request), 'secret')
  })

  it('the OpenAPI document of /session shows no refresh token, and hides the password', () => {
    const [login] = cookieSessionRoutes(parts)
    const { body, success } = login!.doc
    assert.partialDeepStrictEqual(body?.schema, {
      properties: { password: { format: 'password' } },
    })
    assert.deepEqual(success.schema?.['required'], [
      'access_token',
      'token_type',
      'expires_in',
      'scope',
    ])
  })
})

describe('POST /session/refresh', () => {
  it('POST /session/refresh uses the refresh token in the cookie', async () => {
    const { answer, done } = await send(refresh, async () => proved)
    assert.deepEqual([answer.status, done], [200, ['used sid']])
    assert.match(answer.cookies![0]!, /^__Secure-keystile=r; Max-Age=100; Path=\/base\/session; /)
  })

  it('POST /session/refresh refuses another client’s token and clears the cookie', async () => {
    const { answer, done, log } = await send(refresh, async () => ({
      ...proved,
      clientId: 'other',
    }))
    assert.deepEqual([answer.status, done], [400, []])
    assert.match(answer.cookies![0]!, /^__Secure-keystile=; Max-Age=0; /)
    assert.match(answer.headers['content-type']!, /json/)
    assert.deepEqual(log, [{ event: 'refresh_refused' }, { reason: 'wrong_client' }])
  })

  it('if the cookie cannot be checked, POST /session/refresh fails but keeps it', async () => {
    await assert.rejects(send(refresh, away), DatabaseUnavailableError)
    const notNow = new OAuthError('temporarily_unavailable', 'Not now')
    await assert.rejects(
      send(refresh, async () => {
        throw notNow
      }),
      notNow,
    )
  })
})

describe('DELETE /session', () => {
  it('DELETE /session ends the session of the cookie', async () => {
    assert.deepEqual((await send(logout, async () => proved)).done, ['ended sid'])
  })

  it('DELETE /session clears a cookie of another client, but ends no session', async () => {
    const { answer, done } = await send(logout, async () => ({ ...proved, clientId: 'other' }))
    assert.deepEqual([answer.status, done], [204, []])
    assert.match(answer.cookies![0]!, /^__Secure-keystile=; Max-Age=0; /)
  })

  it('DELETE /session?sid=… ends the session `sid` only if the cookie belongs to it', async () => {
    const { answer, done } = await send(logout, async () => proved, { query: '?sid=sid' })
    assert.deepEqual([answer.status, done], [204, ['ended sid']])
    const others: readonly (readonly [string, ProvedRefreshToken | undefined])[] = [
      ['other', proved],
      ['', proved],
      ['sid', { ...proved, clientId: 'other' }],
      ['sid', undefined],
    ]
    for (const [sid, found] of others)
      await assert.rejects(
        send(logout, async () => found, { query: `?sid=${sid}` }),
        {
          code: 'invalid_grant',
          message: 'The cookie __Secure-keystile must belong to the session that sid names',
        },
      )
  })

  const bySecret = async (token: string): Promise<ProvedRefreshToken | undefined> =>
    token === 'wrong' ? undefined : { ...proved, sessionId: token }
  const three = '__Secure-keystile=one; __Secure-keystile=wrong; __Secure-keystile=two'

  it('DELETE /session ends the session of each cookie whose secret is right', async () => {
    const { answer, done } = await send(logout, bySecret, { cookie: three })
    assert.deepEqual([answer.status, done], [204, ['ended one', 'ended two']])
    assert.match(answer.cookies![0]!, /^__Secure-keystile=; Max-Age=0; /)
  })

  it('with several cookies, DELETE /session?sid ends only the session in `sid`', async () => {
    for (const sid of ['one', 'two']) {
      const { answer, done } = await send(logout, bySecret, { cookie: three, query: `?sid=${sid}` })
      assert.deepEqual([answer.status, done], [204, [`ended ${sid}`]])
    }
  })

  it('DELETE /session looks up at most ten cookies, and refuses more of them', async () => {
    const cookies = (count: number): string =>
      Array.from({ length: count }, (_, n) => `__Secure-keystile=${n}`).join('; ')
    const found: string[] = []
    const find = async (token: string): Promise<undefined> => void found.push(token)
    assert.equal((await send(logout, find, { cookie: cookies(10) })).answer.status, 204)
    assert.equal(found.length, 10)
    await assert.rejects(send(logout, find, { cookie: cookies(11) }), {
      code: 'invalid_request',
      message: 'The request must have at most 10 cookies __Secure-keystile',
    })
    assert.equal(found.length, 10)
  })

  it('if the session cannot be ended, DELETE /session fails but keeps the cookie', async () => {
    await assert.rejects(send(logout, away), DatabaseUnavailableError)
  })
})
