import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import * as jose from 'jose'
import type { AlgorithmName } from 'keystile'
import { keySetOf, TokenError, verifyJws } from 'keystile/internal'
import {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  importKey,
  signJwt,
  verifyJwt,
  type Jwk,
} from 'keystile/jwt'
import { issuingAlgorithms, startIssuer, type RunningIssuer } from './start-issuer.ts'

const algorithms: readonly AlgorithmName[] = [
  ...(['HS256', 'HS384', 'HS512'] as const),
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
]
const ada = { username: 'ada', password: 'an engine of her own' }
const demand = { issuer: 'https://auth.example', audience: 'https://items.example' }

for (const algorithm of issuingAlgorithms) {
  describe(`jose's jwtVerify, with tokens signed by ${algorithm}`, () => {
    let server: RunningIssuer
    let token: string
    let jwks: jose.JSONWebKeySet
    before(async () => {
      server = await startIssuer({ signingAlgorithm: algorithm, audience: demand.audience })
      await server.register(ada)
      const response = await fetch(`${server.issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams(ada),
      })
      token = ((await response.json()) as { readonly access_token: string }).access_token
      jwks = (await (
        await fetch(`${server.issuer}/.well-known/jwks.json`)
      ).json()) as jose.JSONWebKeySet
    })
    after(() => server.stop())

    it('with the published key set, jose accepts the tokens of POST /token', async (t) => {
      const { version } = JSON.parse(
        readFileSync(new URL('../../node_modules/jose/package.json', import.meta.url), 'utf8'),
      )
      t.diagnostic(`jose ${version}`)
      const { payload, protectedHeader } = await jose.jwtVerify(
        token,
        jose.createLocalJWKSet(jwks),
        {
          issuer: server.issuer,
          audience: demand.audience,
          typ: 'at+jwt',
          algorithms: [algorithm],
          requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id', 'sid', 'scope', 'auth_time'],
        },
      )
      assert.equal(protectedHeader.kid, jwks.keys[0]!.kid)
      assert.equal(payload.exp! - payload.iat!, 600)
    })

    it('jose refuses our token for another issuer or audience', async () => {
      const keys = jose.createLocalJWKSet(jwks)
      for (const other of [{ issuer: 'https://other.example' }, { audience: server.issuer }])
        await assert.rejects(jose.jwtVerify(token, keys, other), {
          code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
        })
    })

    it('jose computes the same thumbprint as the kid of our published key', async () => {
      assert.equal(jwks.keys[0]!.kid, await jose.calculateJwkThumbprint(jwks.keys[0]!))
    })
  })
}

describe('verifyJwt', () => {
  for (const algorithm of algorithms) {
    it(`verifyJwt accepts jose's ${algorithm} token and refuses a changed signature`, async () => {
      const own = generateKey(algorithm)
      const key = await jose.importJWK(exportPrivateJwk(own) as jose.JWK, algorithm)
      const token = await new jose.SignJWT({ 'https://items.example/größe': ['ä', 1.5, null] })
        .setProtectedHeader({ alg: algorithm, kid: own.keyId!, typ: 'JWT' })
        .setIssuer(demand.issuer)
        .setAudience(demand.audience)
        .setSubject('ada')
        .setIssuedAt()
        .setExpirationTime('10 minutes')
        .sign(key)
      const claims = verifyJwt(token, own, { ...demand, algorithms: [algorithm], type: 'jwt' })
      assert.deepEqual(claims, jose.decodeJwt(token))
      const end = token.lastIndexOf('.') + 1
      const signature = Buffer.from(token.slice(end), 'base64url')
      signature[signature.length - 1]! ^= 1
      assert.throws(
        () => verifyJwt(token.slice(0, end) + signature.toString('base64url'), own, demand),
        TokenError,
      )
    })
  }

  it('verifyJwt accepts jose tokens with alg EdDSA and with alg Ed25519 (RFC 9864)', async () => {
    for (const [signedAs, importedAs] of [
      ['EdDSA', 'Ed25519'],
      ['Ed25519', 'EdDSA'],
    ] as const) {
      const { privateKey, publicKey } = await jose.generateKeyPair(signedAs, { extractable: true })
      const token = await new jose.SignJWT({ sub: 'ada' })
        .setProtectedHeader({ alg: signedAs })
        .setExpirationTime('1 minute')
        .sign(privateKey)
      const own = importKey({ ...(await jose.exportJWK(publicKey)), alg: importedAs })
      assert.equal(verifyJwt(token, own).sub, 'ada')
    }
  })
})

describe('importKey', () => {
  for (const algorithm of algorithms.filter((name) => !name.startsWith('HS'))) {
    it(`importKey reads ${algorithm} keys that jose generated, as JWK and as PEM`, async () => {
      const pair = await jose.generateKeyPair(algorithm, { extractable: true })
      const jwk = await jose.exportJWK(pair.privateKey)
      const sources = [
        {
          private: { ...jwk, alg: algorithm } as Jwk,
          public: { ...(await jose.exportJWK(pair.publicKey)), alg: algorithm } as Jwk,
        },
        {
          private: { pem: await jose.exportPKCS8(pair.privateKey), algorithm },
          public: { pem: await jose.exportSPKI(pair.publicKey), algorithm },
        },
      ]
      for (const source of sources) {
        const token = signJwt({ sub: 'ada' }, importKey(source.private), { expiresInSeconds: 60 })
        assert.equal(verifyJwt(token, importKey(source.public)).sub, 'ada')
      }
    })
  }
})

describe('signJwt', () => {
  for (const algorithm of algorithms) {
    it(`jose accepts a ${algorithm} token from signJwt`, async () => {
      const own = generateKey(algorithm)
      const claims = {
        iss: demand.issuer,
        aud: [demand.audience],
        sub: 'ada',
        größe: ['ä', 1.5, null],
      }
      const token = signJwt(claims, own, { expiresInSeconds: 60 })
      const jwk = algorithm.startsWith('HS') ? exportPrivateJwk(own) : exportPublicJwk(own)
      const key = await jose.importJWK(jwk as jose.JWK, algorithm)
      const { payload } = await jose.jwtVerify(token, key, {
        ...demand,
        algorithms: [algorithm],
        typ: 'JWT',
      })
      assert.deepEqual(payload, verifyJwt(token, own, demand))
    })
  }
})

describe('verifyJws', () => {
  it('verifyJws accepts a compact JWS from jose with a payload of text or bytes', async () => {
    const own = generateKey('ES256')
    const key = await jose.importJWK(exportPrivateJwk(own) as jose.JWK, 'ES256')
    for (const payload of [
      new Uint8Array(0),
      Uint8Array.of(0, 255, 128),
      new TextEncoder().encode('no JSON'),
    ]) {
      const jws = await new jose.CompactSign(payload).setProtectedHeader({ alg: 'ES256' }).sign(key)
      assert.deepEqual(new Uint8Array(verifyJws(jws, keySetOf([own])).payload), payload)
    }
  })
})
