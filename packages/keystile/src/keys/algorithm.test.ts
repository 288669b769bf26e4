import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  findAlgorithm,
  findAlgorithmOfCurve,
  isSameAlgorithm,
  listAlgorithmNames,
} from './algorithm.ts'

describe('findAlgorithm', () => {
  it('findAlgorithm knows the 14 JWS algorithms (RFC 7518 §3.1, RFC 9864 §2.2)', () => {
    const names = ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
    assert.deepEqual(listAlgorithmNames(), [
      ...names,
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'Ed25519',
    ])
    for (const name of listAlgorithmNames()) assert.equal(findAlgorithm(name)?.name, name)
  })

  for (const name of [
    'none',
    'NONE',
    'hs256',
    'es256',
    'eddsa',
    'ES256K',
    'Ed448',
    'RS1',
    '',
    '__proto__',
    'constructor',
  ]) {
    it(`findAlgorithm does not know ${JSON.stringify(name)}`, () => {
      assert.equal(findAlgorithm(name), undefined)
    })
  }
})

describe('findAlgorithmOfCurve', () => {
  it('findAlgorithmOfCurve returns the algorithm of each supported curve', () => {
    const names = ['P-256', 'P-384', 'P-521', 'Ed25519'].map(
      (curve) => findAlgorithmOfCurve(curve)?.name,
    )
    assert.deepEqual(names, ['ES256', 'ES384', 'ES512', 'EdDSA'])
  })

  it('findAlgorithmOfCurve returns undefined for RSA, secrets and unsupported curves', () => {
    for (const curve of [undefined, null, 'secp256k1', 'Ed448', 'X25519', 'p-256']) {
      assert.equal(findAlgorithmOfCurve(curve), undefined)
    }
  })
})

describe('isSameAlgorithm', () => {
  it('isSameAlgorithm is true for equal names, and for the pair EdDSA and Ed25519', () => {
    for (const a of listAlgorithmNames()) {
      for (const b of listAlgorithmNames()) {
        const expected = a === b || (a.startsWith('Ed') && b.startsWith('Ed'))
        assert.equal(isSameAlgorithm(findAlgorithm(a)!, findAlgorithm(b)!), expected, `${a} ${b}`)
      }
    }
  })
})
