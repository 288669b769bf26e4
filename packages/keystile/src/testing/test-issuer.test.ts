import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Hono } from 'hono'
import { createGuard } from '../frameworks/hono/guard.ts'
import { createTestIssuer, type TestLogin } from './test-issuer.ts'

describe('createTestIssuer', () => {
  const issuer = createTestIssuer()
  const guard = createGuard({ verifier: issuer.verifier })
  const app = new Hono()
    .get('/orders', guard('orders:read'), (c) => c.json(c.var.identity.subject))
    .delete('/orders', guard({ maxAgeSeconds: 60 }), (c) => c.body(null, 204))
    .put('/orders', guard({ acr: 'mfa' }), (c) => c.json(c.var.identity.amr))
  const statusOf = async (login?: TestLogin, method = 'GET'): Promise<number> =>
    (await app.request('/orders', { method, headers: issuer.headers(login) })).status

  it('a guard admits a test issuer’s token only if the token has the route’s scope', async () => {
    assert.equal(await statusOf({ scopes: ['orders:read'] }), 200)
    assert.equal(await statusOf({ scopes: ['orders:write'] }), 403)
    assert.equal(await statusOf(), 403)
    const answer = await app.request('/orders', {
      headers: issuer.headers({ subject: 'bob', scopes: ['orders:read'] }),
    })
    assert.equal(await answer.json(), 'bob')
  })

  it('a guard refuses a token after the test issuer has revoked the token’s session', async () => {
    const login = { sessionId: 's1', scopes: ['orders:read'] }
    const before = issuer.headers(login)
    assert.equal((await app.request('/orders', { headers: before })).status, 200)
    issuer.revoke('s1')
    const refused = await app.request('/orders', { headers: before })
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /Token has been revoked/)
    assert.equal(await statusOf({ scopes: ['orders:read'] }), 200)
  })

  it('advance() moves a test issuer’s clock forward, so that older tokens expire', async () => {
    const headers = issuer.headers({ scopes: ['orders:read'] })
    issuer.advance(599)
    assert.equal((await app.request('/orders', { headers })).status, 200)
    issuer.advance(7)
    assert.equal((await app.request('/orders', { headers })).status, 401)
    assert.equal(await statusOf({ scopes: ['orders:read'] }), 200)
    assert.throws(() => issuer.advance(Number.NaN), {
      name: 'TypeError',
      message: 'the argument of advance() must be a number of seconds',
    })
  })

  it('a token of createTestIssuer expires after 600 seconds by default', async () => {
    const lifeOf = async (login?: TestLogin): Promise<number> => {
      const { claims } = await issuer.verifier.verify(issuer.token(login))
      return claims.exp - claims.iat
    }
    assert.deepEqual([await lifeOf(), await lifeOf({ expiresInSeconds: 5 })], [600, 5])
  })

  it('createTestIssuer issues tokens without scopes by default', async () => {
    const scopesOf = async (login?: TestLogin): Promise<readonly string[]> =>
      (await issuer.verifier.verify(issuer.token(login))).scopes
    assert.deepEqual([await scopesOf(), await scopesOf({ scopes: ['a', 'b'] })], [[], ['a', 'b']])
  })

  it('a guard with maxAgeSeconds refuses a test token with an old authenticatedAt', async () => {
    assert.equal(await statusOf({}, 'DELETE'), 204)
    assert.equal(await statusOf({ authenticatedAt: new Date(0) }, 'DELETE'), 401)
  })

  it('a guard with acr admits a test token only with this acr', async () => {
    const login = { acr: 'mfa', amr: ['pwd', 'otp', 'mfa'] }
    const answer = await app.request('/orders', { method: 'PUT', headers: issuer.headers(login) })
    assert.deepEqual(await answer.json(), ['pwd', 'otp', 'mfa'])
    assert.deepEqual([await statusOf({ acr: 'pwd' }, 'PUT'), await statusOf({}, 'PUT')], [401, 401])
  })

  it('a test issuer refuses the tokens of another test issuer', async () => {
    const other = createTestIssuer()
    await assert.rejects(issuer.verifier.verify(other.token()), /Invalid token/)
    assert.equal((await other.verifier.verify(other.token())).clientId, 'first-party')
    const named = createTestIssuer({
      issuer: 'https://auth.example',
      audience: 'https://api.example',
    })
    assert.equal((await named.verifier.verify(named.token())).claims.aud, 'https://api.example')
  })
})
