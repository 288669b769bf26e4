import assert from 'node:assert/strict'
import { constants, createHmac, sign as signWith, verify as verifyWith } from 'node:crypto'
import { describe, it } from 'node:test'
import { findAlgorithm, listAlgorithmNames } from './algorithm.ts'
import { generateKey } from './generate-key.ts'
import { importKey } from './import-key.ts'
import { exportPublicJwk } from './jwk.ts'
import { asJwk, toKeyInput } from './key-input.ts'
import { keyObjectOf } from './key-object.ts'
import { sign, verify } from './signature.ts'
import { canSign } from './signing-key.ts'

const data = Buffer.from('what is signed')

describe('sign() and verify()', () => {
  for (const name of listAlgorithmNames()) {
    it(`verify() accepts an unchanged ${name} signature, and refuses a changed one`, () => {
      const key = generateKey(name)
      const signature = sign(key, data)
      assert.equal(verify(key, data, signature), true)
      assert.equal(verify(key, Buffer.from('what is signeD'), signature), false)
      assert.equal(verify(generateKey(name), data, signature), false)
      const changed = Buffer.from(signature)
      changed[changed.length - 1]! ^= 1
      assert.equal(verify(key, data, changed), false)
    })

    it(`verify() returns false for a ${name} signature of a wrong length`, () => {
      const key = generateKey(name)
      const signature = sign(key, data)
      for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 71, 96, 132, 255, 256, 257, 1024]) {
        assert.equal(verify(key, data, Buffer.alloc(length)), false, `${length} zero bytes`)
      }
      assert.equal(verify(key, data, signature.subarray(1)), false)
      assert.equal(verify(key, data, Buffer.concat([signature, Buffer.alloc(1)])), false)
    })
  }

  it('verify() refuses an RSA-PSS signature if its leading zero is missing', () => {
    const key = generateKey('PS256')
    let signature = sign(key, data)
    while (signature[0] !== 0) signature = sign(key, data) // each signature has a new salt
    assert.equal(verify(key, data, signature), true)
    assert.equal(verify(key, data, signature.subarray(1)), false)
  })

  const lengths = {
    HS256: 32,
    HS384: 48,
    HS512: 64,
    ES256: 64,
    ES384: 96,
    ES512: 132,
    EdDSA: 64,
    Ed25519: 64,
  } as const
  for (const [name, length] of Object.entries(lengths) as [keyof typeof lengths, number][]) {
    it(`sign() makes ${name} signatures of ${length} bytes (RFC 7518 §3.2 §3.4)`, () => {
      assert.equal(sign(generateKey(name), data).length, length)
    })
  }

  it('verify() refuses an HMAC that is too short', () => {
    const key = generateKey('HS256')
    const mac = sign(key, data)
    for (let length = 0; length < 32; length++)
      assert.equal(verify(key, data, mac.subarray(0, length)), false)
  })

  it('verify() refuses an ECDSA signature in the DER format (RFC 7518 §3.4)', () => {
    for (const [name, hash] of [
      ['ES256', 'sha256'],
      ['ES384', 'sha384'],
      ['ES512', 'sha512'],
    ] as const) {
      const key = generateKey(name)
      assert.equal(verify(key, data, signWith(hash, data, keyObjectOf(key.signingKey))), false)
      assert.equal(
        verify(
          key,
          data,
          signWith(hash, data, { key: keyObjectOf(key.signingKey), dsaEncoding: 'ieee-p1363' }),
        ),
        true,
      )
    }
  })

  it('verify() refuses an RSA signature made with another algorithm (RFC 8725 §3.1)', () => {
    const names = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const
    const { signingKey, verifyingKey } = generateKey('RS256')
    const keys = names.map((name) => ({
      keyId: 'k',
      algorithm: findAlgorithm(name)!,
      signingKey,
      verifyingKey,
    }))
    for (const signer of keys) {
      const accepted = keys
        .filter((key) => verify(key, data, sign(signer, data)))
        .map((key) => key.algorithm.name)
      assert.deepEqual(accepted, [signer.algorithm.name])
    }
  })

  for (const [name, hash, bytes] of [
    ['PS256', 'sha256', 32],
    ['PS384', 'sha384', 48],
    ['PS512', 'sha512', 64],
  ] as const) {
    it(`verify() demands ${name} salts as long as the hash: ${bytes} bytes (RFC 7518 §3.5)`, () => {
      const key = generateKey(name)
      const signed = (saltLength: number): Buffer =>
        signWith(hash, data, {
          key: keyObjectOf(key.signingKey),
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength,
        })
      const accepted = [0, 20, bytes - 1, bytes, bytes + 1].filter((length) =>
        verify(key, data, signed(length)),
      )
      assert.deepEqual(accepted, [bytes])
      const digest = constants.RSA_PSS_SALTLEN_DIGEST
      const options = {
        key: keyObjectOf(key.verifyingKey),
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: digest,
      }
      assert.equal(verifyWith(hash, data, options, sign(key, data)), true)
    })
  }

  for (const name of listAlgorithmNames()) {
    it(`sign() and verify() accept a ${name} key both as KeyObject and as JWK`, () => {
      const key = generateKey(name)
      const signatures = [sign(key, data, asJwk), sign(key, data)]
      for (const signature of signatures) {
        assert.equal(verify(key, data, signature, asJwk), true)
        assert.equal(verify(key, data, signature), true)
        assert.equal(verify(key, Buffer.from('what is signeD'), signature, asJwk), false)
        assert.equal(verify(generateKey(name), data, signature, asJwk), false)
      }
    })
  }

  for (const [name, other] of [
    ['PS256', 'RS256'],
    ['PS384', 'RS384'],
    ['PS512', 'RS512'],
  ] as const) {
    it(`verify() refuses an ${other} signature for a ${name} key in JWK form`, () => {
      const key = generateKey(name)
      const pkcs1 = sign({ ...key, algorithm: generateKey(other).algorithm }, data)
      assert.equal(verify(key, data, pkcs1, asJwk), false)
      assert.equal(verify(key, data, pkcs1), false)
    })
  }

  it('asJwk() exports a key once, and returns the same JWK at the next call', () => {
    const key = keyObjectOf(generateKey('ES256').verifyingKey)
    assert.equal(asJwk(key), asJwk(key))
  })

  it('in Node, verify() passes the KeyObject itself to node:crypto', () => {
    const key = keyObjectOf(generateKey('ES256').verifyingKey)
    assert.deepEqual(toKeyInput(key), { key })
  })

  it('verify() treats EdDSA and Ed25519 as one algorithm (RFC 9864 §2.2)', () => {
    const key = generateKey('EdDSA')
    const renamed = importKey({ ...exportPublicJwk(key), alg: 'Ed25519' })
    assert.equal(renamed.algorithm.name, 'Ed25519')
    assert.equal(verify(renamed, data, sign(key, data)), true)
  })

  it('sign() makes the same HMAC as node:crypto does', () => {
    const secret = Buffer.from('kQ3v9ZpX1mW7tY5uB2nR8sD4fG6hJ0lA')
    const key = importKey({ secret, algorithm: 'HS256' })
    assert.ok(canSign(key))
    assert.deepEqual(sign(key, data), createHmac('sha256', secret).update(data).digest())
  })
})

describe('canSign', () => {
  it('canSign is true for a key pair, and false for a public key', () => {
    const key = generateKey('ES256')
    assert.equal(canSign(key), true)
    assert.equal(canSign(importKey(exportPublicJwk(key))), false)
  })
})
