// createVerifier finds the issuer's keys over real sockets. The results are compared with those of
// jose, which cannot discover the keys and needs their URL.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import * as jose from 'jose'
import { createVerifier, TokenError, type Verifier } from 'keystile'
import { exportPublicJwk, generateKey, type SigningKey } from 'keystile/jwt'
import { createGuard } from 'keystile/node'
import { issuingAlgorithms, startIssuer, type RunningIssuer } from './start-issuer.ts'
import { accessTokenOf, startPublisher, type Publisher } from './start-publisher.ts'

const ada = { username: 'ada', password: 'an engine of her own' }
const audience = 'https://items.example'

async function refusalOf(verifier: Verifier, token: string): Promise<string> {
  const error = await verifier.verify(token).then(
    () => assert.fail('the token must be refused'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof TokenError, String(error))
  return error.code
}

for (const algorithm of issuingAlgorithms) {
  describe(`createVerifier and createKeystile as its issuer, signing with ${algorithm}`, () => {
    let server: RunningIssuer
    let token: string
    before(async () => {
      server = await startIssuer({ signingAlgorithm: algorithm, audience })
      await server.register(ada)
      const response = await fetch(`${server.issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams(ada),
      })
      token = ((await response.json()) as { readonly access_token: string }).access_token
    })
    after(() => server.stop())

    it('to accept tokens, createVerifier needs the issuer’s URL but no key', async () => {
      const verifier = createVerifier({ issuer: server.issuer, audience, revocations: 'none' })
      await verifier.ready()
      const { scopes, claims } = await verifier.verify(token)
      assert.deepEqual(scopes, ['items:read', 'items:write'])
      assert.equal(claims.iss, server.issuer)
      verifier.close()
    })

    it('createVerifier fetches the keys when the first token arrives', async () => {
      const verifier = createVerifier({
        issuer: server.issuer,
        audience,
        algorithms: [algorithm],
        revocations: 'none',
      })
      assert.ok(await verifier.verify(token))
      assert.equal(verifier.state, 'current')
    })

    it('createVerifier refuses a token with a wrong audience or a wrong signature', async () => {
      const options = { issuer: server.issuer, audience, revocations: 'none' } as const
      assert.equal(
        await refusalOf(createVerifier({ ...options, audience: 'https://x.example' }), token),
        'invalid_token',
      )
      const end = token.lastIndexOf('.') + 1
      const signature = Buffer.from(token.slice(end), 'base64url')
      signature[signature.length - 1]! ^= 1
      const twin = token.slice(0, end) + signature.toString('base64url')
      assert.equal(await refusalOf(createVerifier(options), twin), 'invalid_token')
    })

    it('ready() of a verifier rejects if a slash was added to the issuer’s URL', async () => {
      const other = createVerifier({ issuer: `${server.issuer}/`, audience, revocations: 'none' })
      await assert.rejects(other.ready(), /\/; it is "http:\/\/[^"]*[^/]"$/)
    })
  })
}

describe('createVerifier over the network', () => {
  const [first, second] = [generateKey('ES256'), generateKey('RS256')]
  let publisher: Publisher
  before(async () => {
    publisher = await startPublisher(first)
  })
  after(() => publisher.stop())
  const tokenOf = (key: SigningKey): string =>
    accessTokenOf(key, { iss: publisher.issuer, aud: audience })

  it('createVerifier and jose learn the issuer’s new key with few requests', async () => {
    let skipped = 0
    const clock = { now: () => Date.now() + skipped }
    const verifier = createVerifier({
      issuer: publisher.issuer,
      audience,
      revocations: 'none',
      clock,
    })
    const jwks = jose.createRemoteJWKSet(new URL(publisher.jwksUri), { cooldownDuration: 0 })
    const byJose = (token: string): Promise<string | undefined> =>
      jose
        .jwtVerify(token, jwks, { issuer: publisher.issuer, audience, typ: 'at+jwt' })
        .then(({ payload }) => payload.sub)
    assert.equal((await verifier.verify(tokenOf(first))).subject, await byJose(tokenOf(first)))
    publisher.publish(first, second)
    assert.equal(await refusalOf(verifier, tokenOf(second)), 'invalid_token')
    skipped += 30_000
    assert.equal((await verifier.verify(tokenOf(second))).subject, await byJose(tokenOf(second)))
    publisher.publish(second)
    skipped += 300_000
    assert.ok(await verifier.verify(tokenOf(first))) // the keys are stale: a fetch starts
    // A token with an unknown key waits until that fetch ends.
    assert.equal(await refusalOf(verifier, tokenOf(generateKey('ES256'))), 'invalid_token')
    assert.equal(await refusalOf(verifier, tokenOf(first)), 'invalid_token')
    assert.ok(await verifier.verify(tokenOf(second)))
    // Keystile fetched the metadata once and the keys three times. jose fetched the keys twice.
    assert.equal(publisher.asked.filter((path) => path.includes('.well-known')).length, 1)
    assert.equal(publisher.asked.filter((path) => path === '/tenant/jwks').length, 3 + 2)
  })

  it('a guard returns 503 with Retry-After until the issuer can be reached', async (t) => {
    // Finds a free port. The issuer listens on it later.
    const placeholder = createServer().listen(0, '127.0.0.1')
    await once(placeholder, 'listening')
    const { port } = placeholder.address() as AddressInfo
    placeholder.close()
    await once(placeholder, 'close')
    const issuer = `http://127.0.0.1:${port}`
    let skipped = 0
    const clock = { now: () => Date.now() + skipped }
    const verifier = createVerifier({ issuer, audience, revocations: 'none', clock })
    const guard = createGuard({ verifier })
    const guarded = guard()
    const api = createServer((request, response) => {
      void guarded(request, response, () => response.end(guard.caller(request).identity.subject))
    }).listen(0, '127.0.0.1')
    await once(api, 'listening')
    const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}/`
    const ask = (token: string): Promise<Response> =>
      fetch(url, { headers: { authorization: `Bearer ${token}` } })
    try {
      const token = accessTokenOf(first, { iss: issuer, aud: audience })
      const early = await ask(token)
      assert.deepEqual([early.status, early.headers.get('retry-after')], [503, '1'])
      assert.equal(early.headers.get('content-type'), 'application/problem+json')
      assert.doesNotMatch(await early.text(), /ECONNREFUSED|127\.0\.0\.1/)
      assert.equal((await ask(tokenOf(first))).status, 401) // the token names another issuer
      const issuing = createServer((request, response) => {
        const jwks_uri = `${issuer}/jwks`
        response.end(
          request.url === '/jwks'
            ? JSON.stringify({
                keys: [first].map(exportPublicJwk),
              })
            : JSON.stringify({ issuer, jwks_uri }),
        )
      }).listen(port, '127.0.0.1')
      t.after(() => {
        issuing.closeAllConnections()
        issuing.close()
      })
      await once(issuing, 'listening')
      skipped += 1_000
      const late = await ask(token)
      assert.deepEqual([late.status, await late.text()], [200, 'alice'])
    } finally {
      api.closeAllConnections()
      api.close()
    }
  })

  it('a program can end while its verifier is open', async () => {
    const program = `
      import { createVerifier } from 'keystile'
      const options = { audience: '${audience}', revocations: 'none' }
      const verifier = createVerifier({ issuer: process.argv[1], ...options })
      console.log((await verifier.verify(process.argv[2])).subject)`
    const args = [
      '--conditions=source',
      '--input-type=module',
      '-e',
      program,
      publisher.issuer,
      tokenOf(second),
    ]
    const options = { cwd: join(import.meta.dirname, '../..'), timeout: 600_000 }
    assert.equal((await promisify(execFile)(process.execPath, args, options)).stdout, 'alice\n')
  })
})
