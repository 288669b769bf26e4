import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exportPrivateJwk, generateKey } from 'keystile/jwt'
import { findSigningKeySource } from './signing-key-source.ts'

describe('findSigningKeySource', () => {
  const options = { signingAlgorithm: 'ES256', database: ':memory:' } as const

  it('findSigningKeySource uses the option signingKey rather than the option key', () => {
    const key = generateKey('EdDSA')
    const source = findSigningKeySource({ ...options, signingKey: exportPrivateJwk(key), key: 'k' })
    assert.ok('signingKey' in source)
    assert.deepEqual(
      [source.signingKey.keyId, source.signingKey.algorithm],
      [key.keyId, key.algorithm],
    )
  })

  it('without signingKey, findSigningKeySource encrypts the keys with the option key', () => {
    assert.deepEqual(findSigningKeySource({ ...options, key: 'k' }), {
      algorithm: 'ES256',
      sealingSecret: 'k',
    })
  })

  it('findSigningKeySource makes a new secret for every database in memory', () => {
    const [one, other] = [findSigningKeySource(options), findSigningKeySource(options)]
    assert.notDeepEqual(one, other)
  })
})
