import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findAlgorithm, type Algorithm, type AlgorithmName } from './algorithm.ts'
import { generateKey } from './generate-key.ts'
import { importKey } from './import-key.ts'
import { importJwkSet, isKeySet, keySetOf, type KeySet } from './jwk-set.ts'
import { exportPrivateJwk, exportPublicJwk, type Jwk } from './jwk.ts'

const algorithm = (name: AlgorithmName): Algorithm => findAlgorithm(name)!
const ec = generateKey('ES256', { keyId: 'ec' })
const rsa = generateKey('RS256', { keyId: 'rsa' })
const edwards = generateKey('EdDSA', { keyId: 'ed' })
const published = (keyId: string, name: AlgorithmName = 'ES256'): Jwk =>
  exportPublicJwk(generateKey(name, { keyId }))
const anonymous = (jwk: Jwk): Jwk => {
  const { kid: _, ...rest } = jwk
  return rest
}

/** Returns the `kid` of the key found for a header. */
const found = (keys: KeySet, kid: string | undefined, name: AlgorithmName): string | undefined =>
  keys.find(kid, algorithm(name))?.keyId

describe('importJwkSet', () => {
  it('importJwkSet accepts the key set that an issuer publishes', () => {
    const keys = importJwkSet({
      keys: [exportPublicJwk(ec), exportPublicJwk(rsa), exportPublicJwk(edwards)],
      more: 1,
    })
    assert.equal(found(keys, 'ec', 'ES256'), 'ec')
    assert.equal(found(keys, 'rsa', 'RS256'), 'rsa')
    assert.equal(found(keys, 'ed', 'Ed25519'), 'ed')
  })

  const refused: readonly [string, unknown, RegExp][] = [
    ['undefined', undefined, /a JWK Set must be/],
    ['null', null, /a JWK Set must be/],
    ['an array', [exportPublicJwk(ec)], /a JWK Set must be/],
    ['a single JWK', exportPublicJwk(ec), /a JWK Set must be/],
    ['text', '{"keys":[]}', /a JWK Set must be/],
    ['keys that are not an array', { keys: {} }, /a JWK Set must be/],
    ['a key that is not an object', { keys: [exportPublicJwk(ec), null] }, /a JWK Set must be/],
    ['a set without keys', { keys: [] }, /must have a usable key/],
    [
      'a set without a usable key',
      { keys: [{ kty: 'EC' }, { kty: 'foo' }] },
      /must have a usable key/,
    ],
    ['a kid that appears twice', { keys: [published('a'), published('a')] }, /appears twice/],
    [
      'a kid that appears twice, once on an unusable key',
      { keys: [published('a'), { kty: 'foo', kid: 'a' }] },
      /appears twice/,
    ],
    [
      'a shared secret beside a public key',
      { keys: [exportPublicJwk(ec), exportPrivateJwk(generateKey('HS256'))] },
      /this one has both/,
    ],
    [
      'a bad secret beside a public key',
      { keys: [exportPublicJwk(ec), { kty: 'oct' }] },
      /this one has both/,
    ],
  ]
  for (const [name, set, reason] of refused) {
    it(`importJwkSet refuses ${name}`, () => {
      assert.throws(
        () => importJwkSet(set),
        (error) => error instanceof TypeError && reason.test(error.message),
      )
    })
  }

  it('importJwkSet leaves out each unusable key and reports it (RFC 7517 §5)', () => {
    const { alg: _, use: __, ...rsaWithoutAlg } = exportPublicJwk(rsa)
    const unfit: readonly Jwk[] = [
      rsaWithoutAlg,
      { ...published('enc'), use: 'enc' },
      { ...published('ops'), key_ops: ['deriveKey'] },
      { kty: 'EC', crv: 'secp256k1', kid: 'k1' },
      { ...published('alg'), alg: 'ES384' },
    ]
    const reasons: string[] = []
    const keys = importJwkSet({ keys: [...unfit, exportPublicJwk(ec)] }, (reason) =>
      reasons.push(reason),
    )
    assert.equal(reasons.length, unfit.length)
    assert.equal(found(keys, 'ec', 'ES256'), 'ec')
    for (const { kid } of unfit) assert.equal(found(keys, kid, 'ES256'), undefined)
    assert.equal(found(keys, 'rsa', 'RS256'), undefined)
    assert.match(reasons[0] ?? '', /must have an "alg"/)
  })

  it('importJwkSet leaves out unusable keys even without the function onUnfit', () => {
    assert.equal(
      found(importJwkSet({ keys: [{ kty: 'foo' }, exportPublicJwk(ec)] }), 'ec', 'ES256'),
      'ec',
    )
  })

  it('importJwkSet accepts a set with only shared secrets', () => {
    const secret = exportPrivateJwk(generateKey('HS256', { keyId: 's' }))
    assert.equal(found(importJwkSet({ keys: [secret] }), 's', 'HS256'), 's')
  })
})

describe('isKeySet', () => {
  it('isKeySet is true for an object with a find function, and false for an array', () => {
    const find = (): undefined => undefined
    assert.equal(isKeySet({ find }), true)
    for (const keys of [undefined, null, find, 'text', [], {}, { find: {} }, { keys: [] }])
      assert.equal(isKeySet(keys), false)
    assert.equal(isKeySet(Object.assign(() => {}, { find })), false)
  })
})

describe('find()', () => {
  const other = generateKey('ES256', { keyId: 'other' })
  const keys = keySetOf([ec, other, rsa, edwards])

  it('keySet.find returns a key only for its own algorithm (RFC 8725 §3.1)', () => {
    assert.equal(keys.find('ec', algorithm('ES256')), ec)
    assert.equal(keys.find('other', algorithm('ES256')), other)
    for (const name of ['HS256', 'RS256', 'PS256', 'ES384', 'EdDSA'] as const)
      assert.equal(found(keys, 'ec', name), undefined)
    for (const name of ['HS256', 'PS256', 'RS384', 'RS512'] as const)
      assert.equal(found(keys, 'rsa', name), undefined)
  })

  it('keySet.find returns undefined for an unknown kid', () => {
    for (const kid of ['unknown', '', 'EC', 'ec ', '__proto__', 'constructor', 'undefined']) {
      assert.equal(found(keys, kid, 'RS256'), undefined)
    }
  })

  it('without a kid, keySet.find returns a key only if no other key has the algorithm', () => {
    assert.equal(found(keys, undefined, 'RS256'), 'rsa')
    assert.equal(found(keys, undefined, 'Ed25519'), 'ed')
    assert.equal(found(keys, undefined, 'ES256'), undefined)
    assert.equal(found(keys, undefined, 'ES384'), undefined)
    assert.equal(found(keys, undefined, 'HS256'), undefined)
  })

  it('keySet.find returns a key without keyId if no other key has the same algorithm', () => {
    const nameless = importKey(anonymous(exportPublicJwk(ec)))
    assert.equal(nameless.keyId, undefined)
    assert.equal(keySetOf([nameless, rsa]).find('whatever', algorithm('ES256')), nameless)
    assert.equal(keySetOf([nameless, rsa]).find(undefined, algorithm('ES256')), nameless)
    assert.equal(keySetOf([nameless, rsa]).find('whatever', algorithm('RS256')), undefined)
    assert.equal(keySetOf([nameless, rsa]).find('rsa', algorithm('ES256')), undefined)
    const second = importKey(anonymous(exportPublicJwk(other)))
    assert.equal(keySetOf([nameless, second]).find('whatever', algorithm('ES256')), undefined)
    assert.equal(keySetOf([nameless, second]).find(undefined, algorithm('ES256')), undefined)
    assert.equal(keySetOf([nameless, other]).find(undefined, algorithm('ES256')), undefined)
    assert.equal(keySetOf([nameless, other]).find('other', algorithm('ES256')), other)
  })

  it('keySet.find returns undefined if the key set is empty', () => {
    assert.equal(found(keySetOf([]), undefined, 'ES256'), undefined)
    assert.equal(found(keySetOf([]), 'ec', 'ES256'), undefined)
  })
})
