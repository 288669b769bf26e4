import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  thumbprint,
  type AlgorithmName,
} from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import { createSeal } from '../../../base/seal.ts'
import { canOpen, createKeySeal, makeSealedKey, openSealedKey } from './sealed-keys.ts'
import { issuingAlgorithms, signingKeyOf } from './signing-key.ts'

const secrets = ['a sealing key for tests: 0123456789 abcdef'] as const

describe('signingKeyOf', () => {
  for (const algorithm of issuingAlgorithms) {
    it(`signingKeyOf accepts a private ${algorithm} key, and adds a missing kid`, () => {
      const key = generateKey(algorithm, { keyId: 'mine' })
      const { kid, ...unnamed } = exportPrivateJwk(key)
      assert.deepEqual([signingKeyOf({ ...unnamed, kid: 'mine' }).keyId, kid], ['mine', 'mine'])
      assert.equal(signingKeyOf(unnamed).keyId, thumbprint(exportPublicJwk(key)))
    })
  }

  it('signingKeyOf refuses public keys, shared secrets and algorithms like ES384 and RS512', () => {
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

describe('makeSealedKey', () => {
  for (const algorithm of issuingAlgorithms) {
    it(`a new ${algorithm} key can be decrypted with the secrets that encrypted it`, async () => {
      const made = await makeSealedKey(algorithm, createKeySeal(secrets))
      const { keyId, algorithm: opened } = openSealedKey(made, createKeySeal(secrets))
      assert.deepEqual([keyId, opened.name, made.algorithm], [made.id, algorithm, algorithm])
    })
  }

  it('canOpen returns whether one of the secrets can decrypt a key', async () => {
    const { sealed_jwk: sealed, ...made } = await makeSealedKey('ES256', createKeySeal(secrets))
    assert.equal(canOpen({ ...made, sealed }, ['another secret', ...secrets]), true)
    assert.equal(canOpen({ ...made, sealed }, ['another secret']), false)
  })

  it('a key of makeSealedKey can be decrypted only for the purpose `signing keys`', async () => {
    const { id, sealed_jwk: sealed } = await makeSealedKey('ES256', createKeySeal(secrets))
    assert.ok(createSeal(secrets, 'signing keys').open(sealed, id))
    assert.equal(createSeal(secrets, 'mails').open(sealed, id), undefined)
  })
})
