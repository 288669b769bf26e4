import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exportPrivateJwk, generateKey } from 'keystile/jwt'
import { findSigningKeySource } from './signing-key-source.ts'

describe('findSigningKeySource', () => {
  const options = { signingAlgorithm: 'ES256', database: ':memory:' } as const

  it('takes the signing key that is given, whatever else is', () => {
    const key = generateKey('EdDSA')
    const source = findSigningKeySource({ ...options, signingKey: exportPrivateJwk(key), key: 'k' })
    assert.ok('signingKey' in source)
    assert.deepEqual(
      [source.signingKey.keyId, source.signingKey.algorithm],
      [key.keyId, key.algorithm],
    )
  })

  it('takes the secret that is given', () => {
    assert.deepEqual(findSigningKeySource({ ...options, key: 'k' }), {
      algorithm: 'ES256',
      sealingSecret: 'k',
    })
  })

  it('makes a secret for a database in memory, another each time', () => {
    const [one, other] = [findSigningKeySource(options), findSigningKeySource(options)]
    assert.notDeepEqual(one, other)
  })
})
