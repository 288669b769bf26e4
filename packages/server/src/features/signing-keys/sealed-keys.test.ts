import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  thumbprint,
  type AlgorithmName,
} from 'keystile/jwt'
import { ConfigurationError } from '../../base/configuration-error.ts'
import { issuingAlgorithms, signingKeyOf } from './sealed-keys.ts'

describe('signingKeyOf', () => {
  for (const algorithm of issuingAlgorithms) {
    it(`signingKeyOf accepts a private ${algorithm} key, and adds a missing kid`, () => {
      const key = generateKey(algorithm, { keyId: 'mine' })
      const { kid, ...unnamed } = exportPrivateJwk(key)
      assert.deepEqual([signingKeyOf({ ...unnamed, kid: 'mine' }).keyId, kid], ['mine', 'mine'])
      assert.equal(signingKeyOf(unnamed).keyId, thumbprint(exportPublicJwk(key)))
    })
  }

  it('signingKeyOf refuses public keys, shared secrets and other algorithms', () => {
    const others = (['HS256', 'ES384', 'PS256', 'RS512'] satisfies AlgorithmName[]).map((name) =>
      exportPrivateJwk(generateKey(name)),
    )
    for (const jwk of [exportPublicJwk(generateKey('ES256')), ...others]) {
      assert.throws(
        () => signingKeyOf(jwk),
        (error) =>
          error instanceof ConfigurationError &&
          /private JWK whose "alg" is one of ES256, EdDSA, RS256/.test(error.message),
      )
    }
  })
})
