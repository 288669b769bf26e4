import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { exportPrivateJwk, exportPublicJwk, generateKey, thumbprint } from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import { openValueSecrets, requireKeySecrets } from './sealing-secrets.ts'
import { openSigningKeySource } from './signing-key-source.ts'

const options = { signingAlgorithm: 'ES256', database: ':memory:' } as const
const [one, other] = [generateKey('EdDSA'), generateKey('ES256')]

describe('openSigningKeySource', () => {
  it('if `signingKey` and `key` are given, openSigningKeySource uses `signingKey`', () => {
    const signingKey = exportPrivateJwk(one)
    const source = openSigningKeySource({ ...options, signingKey, key: 'k' })
    assert.ok('ownKeys' in source)
    assert.deepEqual(
      source.ownKeys.map(({ keyId, algorithm }) => [keyId, algorithm]),
      [[one.keyId, one.algorithm]],
    )
  })

  it('if `signingKey` is a JWK Set, the first key signs, and the other keys may be public', () => {
    const signingKey = { keys: [exportPrivateJwk(one), exportPublicJwk(other)] }
    const source = openSigningKeySource({ ...options, signingKey })
    assert.ok('ownKeys' in source)
    const [first, second] = source.ownKeys
    assert.deepEqual([first.keyId, second?.keyId], [one.keyId, other.keyId])
    assert.ok(second && !('signingKey' in second))
  })

  it('a published key without a kid gets its thumbprint as kid (RFC 7638)', () => {
    const { kid: _kid, ...unnamed } = exportPublicJwk(other)
    const signingKey = { keys: [exportPrivateJwk(one), unnamed] }
    const source = openSigningKeySource({ ...options, signingKey })
    assert.ok('ownKeys' in source)
    assert.equal(source.ownKeys[1]?.keyId, thumbprint(unnamed))
  })

  it('openSigningKeySource throws if two keys of a JWK Set have the same kid', () => {
    const signingKey = { keys: [exportPrivateJwk(one), exportPublicJwk(one)] }
    assert.throws(() => openSigningKeySource({ ...options, signingKey }), {
      name: 'ConfigurationError',
      message: 'each "kid" in a JWK Set must be unique; one appears twice',
    })
  })

  it('in a JWK Set, openSigningKeySource accepts only keys for ES256, EdDSA and RS256', () => {
    for (const algorithm of ['ES384', 'HS256'] as const) {
      const signingKey = { keys: [exportPrivateJwk(one), exportPrivateJwk(generateKey(algorithm))] }
      assert.throws(() => openSigningKeySource({ ...options, signingKey }), {
        name: 'ConfigurationError',
        message: 'each key of a JWK Set after the first must have an "alg" of ES256, EdDSA, RS256',
      })
    }
  })

  it('without `signingKey`, openSigningKeySource uses `key` and `previousKey` as secrets', () => {
    assert.deepEqual(openSigningKeySource({ ...options, key: 'k', previousKey: 'p' }), {
      algorithm: 'ES256',
      sealingSecrets: ['k', 'p'],
    })
  })

  it('openSigningKeySource makes a new secret for each in-memory database', () => {
    assert.notDeepEqual(openSigningKeySource(options), openSigningKeySource(options))
  })
})

describe('openValueSecrets', () => {
  it('openValueSecrets returns the private keys of a JWK Set, the signing key first', () => {
    const [first, second] = [exportPrivateJwk(one), exportPrivateJwk(generateKey('EdDSA'))]
    const signingKey = { keys: [first, exportPublicJwk(other), second] }
    assert.deepEqual(openValueSecrets({ ...options, signingKey }), [first['d'], second['d']])
  })
})

describe('requireKeySecrets', () => {
  it('requireKeySecrets reads an existing keystile.key, and throws if there is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-source-'))
    try {
      const choice = { ...options, database: join(folder, 'keystile.db') }
      assert.throws(
        () => requireKeySecrets(choice),
        (error) => error instanceof ConfigurationError && /must exist/.test(error.message),
      )
      assert.deepEqual(readdirSync(folder), [])
      assert.deepEqual(requireKeySecrets({ ...choice, key: 'k' }), ['k'])

      const made = openValueSecrets(choice)
      assert.deepEqual(requireKeySecrets({ ...choice, previousKey: 'p' }), [...made, 'p'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
