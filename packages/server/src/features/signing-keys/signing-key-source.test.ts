import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exportPrivateJwk, exportPublicJwk, generateKey } from 'keystile/jwt'
import { findSealingSecrets, findSigningKeySource } from './signing-key-source.ts'

const options = { signingAlgorithm: 'ES256', database: ':memory:' } as const
const [one, other] = [generateKey('EdDSA'), generateKey('ES256')]

describe('findSigningKeySource', () => {
  it('findSigningKeySource uses the option signingKey rather than the option key', () => {
    const signingKey = exportPrivateJwk(one)
    const source = findSigningKeySource({ ...options, signingKey, key: 'k' })
    assert.ok('ownKeys' in source)
    assert.deepEqual(
      source.ownKeys.map(({ keyId, algorithm }) => [keyId, algorithm]),
      [[one.keyId, one.algorithm]],
    )
  })

  it('the first key of a JWK Set signs, and the others may be public', () => {
    const signingKey = { keys: [exportPrivateJwk(one), exportPublicJwk(other)] }
    const source = findSigningKeySource({ ...options, signingKey })
    assert.ok('ownKeys' in source)
    const [first, second] = source.ownKeys
    assert.deepEqual([first.keyId, second?.keyId], [one.keyId, other.keyId])
    assert.ok(second && !('signingKey' in second))
  })

  it('without signingKey, findSigningKeySource encrypts the keys with the option key', () => {
    assert.deepEqual(findSigningKeySource({ ...options, key: 'k', previousKey: 'p' }), {
      algorithm: 'ES256',
      sealingSecrets: ['k', 'p'],
    })
  })

  it('findSigningKeySource makes a new secret for every database in memory', () => {
    assert.notDeepEqual(findSigningKeySource(options), findSigningKeySource(options))
  })
})

describe('findSealingSecrets', () => {
  it('the private keys of a JWK Set encrypt and decrypt, the signing key first', () => {
    const [first, second] = [exportPrivateJwk(one), exportPrivateJwk(generateKey('EdDSA'))]
    const signingKey = { keys: [first, exportPublicJwk(other), second] }
    assert.deepEqual(findSealingSecrets({ ...options, signingKey }), [first['d'], second['d']])
  })
})
