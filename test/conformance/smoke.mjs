// Uses the built library as an application does, on Node 20: `node smoke.mjs jwt | node | feed |
// client | hono`. It runs in a folder whose node_modules has only keystile (and hono for the last), so that
// an import of anything else fails. Prints "ok".
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createVerifier } from 'keystile'
import { generateKey, importKey, signJwt, verifyJwt } from 'keystile/jwt'

const algorithms =
  'HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')
const issuer = 'https://auth.example'
const audience = 'https://items.example'
const secret = randomBytes(32).toString('base64')

/** Returns an access token like those of an issuer that shares a secret with the API. */
function tokenFor(scope, claims = {}) {
  const key = importKey({ secret, algorithm: 'HS256' })
  const own = {
    iss: issuer,
    aud: audience,
    sub: 'ada',
    client_id: 'first-party',
    jti: 'a token',
    scope,
    ...claims,
  }
  return signJwt(own, key, { expiresInSeconds: 60, type: 'at+jwt' })
}

/**
 * Checks a route that demands `items:read` and answers with the subject.
 */
async function checkRoute(call) {
  assert.deepEqual(await call(), { status: 401, challenge: `Bearer realm="${issuer}"` })
  assert.deepEqual(await call(tokenFor('items:read')), { status: 200, owner: 'ada' })
  const short = await call(tokenFor('items:write'))
  assert.equal(short.status, 403)
  assert.match(short.challenge, /error="insufficient_scope".*scope="items:read"/)
  const other = await call(tokenFor('items:read', { aud: 'https://orders.example' }))
  assert.equal(other.status, 401)
  assert.match(other.challenge, /error="invalid_token"/)
}

async function answerOf(response) {
  const { status, headers } = response
  if (status !== 200) return { status, challenge: headers.get('www-authenticate') }
  return { status, owner: (await response.json()).owner }
}
const headersWith = (token) => (token === undefined ? {} : { authorization: `Bearer ${token}` })

const parts = {
  jwt() {
    for (const algorithm of algorithms) {
      const key = generateKey(algorithm)
      const token = signJwt({ sub: 'ada' }, key, { expiresInSeconds: 60 })
      assert.equal(verifyJwt(token, key).sub, 'ada')
      assert.throws(() => verifyJwt(token, generateKey(algorithm)), { code: 'invalid_token' })
    }
  },
  async node() {
    const { createGuard } = await import('keystile/node')
    const guard = createGuard({
      verifier: createVerifier({ issuer, audience, keys: secret, revocations: 'none' }),
    })
    const route = guard('items:read')
    const server = createServer((request, response) => {
      void route(request, response, () =>
        response.end(JSON.stringify({ owner: guard.caller(request).identity.subject })),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${server.address().port}/items`
    await checkRoute(async (token) => answerOf(await fetch(url, { headers: headersWith(token) })))
    server.closeAllConnections()
    server.close()
  },
  async feed() {
    const asked = []
    let stream
    let openedAt = 0
    const send = (sid) => {
      const event = { kind: 'session', value: sid, expires_at: Date.now() + 60_000 }
      stream.write(`event: revocation\nid: ${sid}\ndata: ${JSON.stringify(event)}\n\n`)
      const elapsed = Math.floor(performance.now() - openedAt)
      stream.write(`event: current\ndata: {"elapsed_ms":${elapsed}}\n\n`)
    }
    const server = createServer((request, response) => {
      asked.push([request.url, request.headers.authorization])
      openedAt = performance.now()
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
      send('s1')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const issuer = `http://127.0.0.1:${server.address().port}`
    const revocations = { clientId: 'orders', clientSecret: 'pX3', whenStale: 'refuse' }
    const verifier = createVerifier({ issuer, audience, keys: secret, revocations })
    await verifier.ready()
    assert.deepEqual(asked, [['/revocations', `Basic ${btoa('orders:pX3')}`]])
    const [first, second] = ['s1', 's2'].map((sid) => tokenFor('items:read', { iss: issuer, sid }))
    await assert.rejects(verifier.verify(first), { reason: 'revoked' })
    assert.equal((await verifier.verify(second)).sessionId, 's2')
    send('s2')
    while (verifier.recall(second)) await new Promise((resolve) => setTimeout(resolve, 5))
    await assert.rejects(verifier.verify(second), { reason: 'revoked' })
    // After this, nothing of the verifier keeps the process alive.
    verifier.close()
    server.close()
  },
  async client() {
    const { createClient } = await import('keystile/client')
    const tokens = { access_token: 'first', refresh_token: 'r', expires_in: 600 }
    const routes = {
      'POST /auth/token': (body) =>
        JSON.stringify({ ...tokens, ...(body.includes('refresh') && { access_token: 'next' }) }),
      'GET /items': (_body, bearer) => (bearer === 'Bearer next' ? '{"owner":"ada"}' : 401),
      'GET /leave': () => 307,
    }
    const asked = []
    const listen = async () => {
      const server = createServer(async (request, response) => {
        let body = ''
        for await (const chunk of request) body += chunk
        const { authorization } = request.headers
        asked.push([request.headers.host, request.url, authorization])
        const answer = routes[`${request.method} ${request.url}`](body, authorization)
        if (typeof answer === 'string') response.end(answer)
        else
          response
            .writeHead(answer, { location: `http://127.0.0.1:${other.address().port}/items` })
            .end()
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }
    const [server, other] = [await listen(), await listen()]
    const url = `http://127.0.0.1:${server.address().port}`
    const client = createClient({ issuer: `${url}/auth` })
    await client.login({ username: 'ada', password: 'a password' })
    assert.equal(await client.accessToken(), 'first')
    assert.equal((await (await client.fetch(`${url}/items`)).json()).owner, 'ada')
    assert.equal(await client.accessToken(), 'next')
    assert.equal((await client.fetch(`${url}/leave`)).status, 401)
    assert.deepEqual(asked.at(-1), [`127.0.0.1:${other.address().port}`, '/items', undefined])
    // A client does not keep the process alive.
    const cookie = createClient({ issuer: `${url}/auth`, storage: 'cookie' })
    assert.equal(typeof cookie.fetch, 'function')
    for (const each of [server, other]) {
      each.closeAllConnections()
      each.close()
    }
  },
  async hono() {
    const { Hono } = await import('hono')
    const { createGuard } = await import('keystile/hono')
    const guard = createGuard({
      verifier: createVerifier({ issuer, audience, keys: secret, revocations: 'none' }),
    })
    const app = new Hono().get('/items', guard('items:read'), (c) =>
      c.json({ owner: c.var.identity.subject }),
    )
    await checkRoute(async (token) =>
      answerOf(await app.request('/items', { headers: headersWith(token) })),
    )
  },
}

await parts[process.argv[2]]()
console.log('ok')
