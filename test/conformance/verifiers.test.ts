// Other verifiers accept the tokens that Keystile accepts: express-oauth2-jwt-bearer in strict
// mode, oauth4webapi and jose.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import express from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import * as jose from 'jose'
import { createVerifier, type AlgorithmName } from 'keystile'
import { generateKey, type SigningKey } from 'keystile/jwt'
import * as oauth from 'oauth4webapi'
import { issuingAlgorithms, startIssuer, type RunningIssuer } from './start-issuer.ts'
import { accessTokenOf, startPublisher, type Publisher } from './start-publisher.ts'

const audience = 'https://items.example'
const ada = { username: 'ada', password: 'an engine of her own' }

/**
 * How a token differs from the usual one: a name for the difference, the changed claims, and `typ`.
 */
type Changed = readonly [name: string, claims: Readonly<Record<string, unknown>>, type?: string]

const versionOf = (name: string): string => {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
  return `${name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}`
}

/** Starts an Express app with a route behind express-oauth2-jwt-bearer, as in its README. */
async function startApi(issuerBaseURL: string): Promise<{ url: string; server: Server }> {
  const app = express().set('env', 'test') // in "development" Express prints each refusal
  app.use(auth({ issuerBaseURL, audience, strict: true }))
  app.get('/items', requiredScopes('items:read'), (request, response) => {
    response.json({
      subject: request.auth!.payload.sub,
      clientId: request.auth!.payload['client_id'],
    })
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/items`, server }
}

const stopApi = (server: Server): void => {
  server.closeAllConnections()
  server.close()
}

const get = (url: string, token: string): Promise<Response> =>
  fetch(url, { headers: { authorization: `Bearer ${token}` } })

for (const algorithm of issuingAlgorithms) {
  describe(`express-oauth2-jwt-bearer (strict: true), with tokens signed by ${algorithm}`, () => {
    let issuer: RunningIssuer
    let api: { url: string; server: Server }
    before(async () => {
      issuer = await startIssuer({ signingAlgorithm: algorithm, audience })
      await issuer.register(ada)
      api = await startApi(issuer.issuer)
    })
    after(async () => {
      stopApi(api.server)
      await issuer.stop()
    })
    const login = async (scope: string): Promise<string> => {
      const body = new URLSearchParams({ ...ada, scope })
      const response = await fetch(`${issuer.issuer}/token`, { method: 'POST', body })
      return ((await response.json()) as { readonly access_token: string }).access_token
    }

    it('express-oauth2-jwt-bearer accepts our token with the required scope', async (t) => {
      t.diagnostic(`${versionOf('express-oauth2-jwt-bearer')}, ${versionOf('express')}`)
      const response = await get(api.url, await login('items:read'))
      assert.equal(response.status, 200, await response.clone().text())
      const { clientId } = (await response.json()) as { readonly clientId: string }
      assert.equal(clientId, 'first-party')
    })

    it('express-oauth2-jwt-bearer refuses a token without the required scope', async () => {
      assert.equal((await get(api.url, await login('items:write'))).status, 403)
    })

    it('express-oauth2-jwt-bearer refuses a token with a wrong signature', async () => {
      const token = await login('items:read')
      const other = (await login('items:read')).split('.')[2]!
      const forged = [...token.split('.').slice(0, 2), other].join('.')
      assert.equal((await get(api.url, forged)).status, 401)
    })
  })
}

describe('four verifiers and the same tokens', () => {
  const algorithms: readonly AlgorithmName[] = [
    ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
    ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
  ]
  const keys = new Map<AlgorithmName, SigningKey>(
    algorithms.map((name) => [name, generateKey(name)]),
  )
  let publisher: Publisher
  let api: { url: string; server: Server }
  let as: oauth.AuthorizationServer
  let remote: ReturnType<typeof jose.createRemoteJWKSet>
  before(async () => {
    publisher = await startPublisher(...keys.values())
    api = await startApi(publisher.issuer)
    as = { issuer: publisher.issuer, jwks_uri: publisher.jwksUri }
    remote = jose.createRemoteJWKSet(new URL(publisher.jwksUri))
  })
  after(async () => {
    stopApi(api.server)
    await publisher.stop()
  })

  const oauthAccepts = (token: string): Promise<boolean> => {
    const request = new Request(api.url, { headers: { authorization: `Bearer ${token}` } })
    const insecure = { [oauth.allowInsecureRequests]: true }
    return accepts(oauth.validateJwtAccessToken(as, request, audience, insecure))
  }
  const joseAccepts = (token: string): Promise<boolean> =>
    accepts(
      jose.jwtVerify(token, remote, {
        issuer: publisher.issuer,
        audience,
        typ: 'at+jwt',
        clockTolerance: 5,
      }),
    )
  const keystileAccepts = (token: string): Promise<boolean> =>
    accepts(
      createVerifier({ issuer: publisher.issuer, audience, revocations: 'none' }).verify(token),
    )
  const accepts = (verified: Promise<unknown>): Promise<boolean> =>
    verified.then(
      () => true,
      () => false,
    )

  const good: readonly Changed[] = [
    ['the claims that RFC 9068 §2.2 requires', { scope: 'items:read' }],
    ['several audiences', { aud: ['https://other.example', audience] }],
    ['a typ with its prefix', {}, 'application/at+jwt'],
    ['a typ in capitals', {}, 'AT+JWT'],
    ['no sid', { sid: undefined }],
    [
      'claims that no standard defines',
      { 'https://items.example/größe': ['ä', 1.5, null], auth_time: 1_000_000_000 },
    ],
    ['an nbf in the past', { nbf: 1_000_000_000 }],
    ['an exp with a fraction', { exp: Date.now() / 1000 + 600.5 }],
  ]
  for (const algorithm of algorithms) {
    for (const [name, claims, type] of good) {
      it(`four verifiers accept a token with ${name}, signed with ${algorithm}`, async () => {
        const token = accessTokenOf(
          keys.get(algorithm)!,
          { iss: publisher.issuer, aud: audience, ...claims },
          type,
        )
        assert.equal(await keystileAccepts(token), true, 'keystile')
        assert.equal(await joseAccepts(token), true, 'jose')
        assert.equal(await oauthAccepts(token), true, 'oauth4webapi')
        const response = await get(api.url, token)
        assert.equal(
          response.status,
          200,
          `express-oauth2-jwt-bearer: ${response.headers.get('www-authenticate')}`,
        )
      })
    }
  }

  const bad: readonly Changed[] = [
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'https://other.example' }],
    ['no subject', { sub: undefined }],
    ['no client_id', { client_id: undefined }],
    ['no jti', { jti: undefined }],
    ['another typ', {}, 'JWT'],
    ['an exp in the past', { exp: Math.floor(Date.now() / 1000) - 60 }],
    ['an nbf in the future', { nbf: Math.floor(Date.now() / 1000) + 600 }],
  ]
  for (const [name, claims, type] of bad) {
    it(`Keystile, oauth4webapi and the Express verifier refuse a token with ${name}`, async () => {
      const token = accessTokenOf(
        keys.get('ES256')!,
        { iss: publisher.issuer, aud: audience, ...claims },
        type,
      )
      assert.deepEqual([await keystileAccepts(token), await oauthAccepts(token)], [false, false])
      assert.equal((await get(api.url, token)).status, 401)
    })
  }
})
