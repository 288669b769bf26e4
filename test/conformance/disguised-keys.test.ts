import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { keySetOf, TokenError, verifyJws } from 'keystile/internal'
import { importKey, type Jwk } from 'keystile/jwt'

const read = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`vectors/upstream-tests/${file}`, import.meta.url), 'utf8'))

const { vectors: sshKeys } = read('pyjwt-GHSA-ffqj-6fqr-9h24.json') as {
  readonly vectors: readonly { readonly key: string; readonly good: string; readonly bad: string }[]
}
const { prefixes } = read('fast-jwt-key-prefixes.json') as { readonly prefixes: readonly string[] }

/**
 * Returns the public key from a line of OpenSSH. Its last field is the point on the curve (RFC 4253
 * §6.6).
 */
function jwkOf(line: string): Jwk {
  const blob = Buffer.from(line.split(' ')[1]!, 'base64')
  if (line.startsWith('ssh-ed25519'))
    return { kty: 'OKP', crv: 'Ed25519', x: blob.subarray(-32).toString('base64url'), alg: 'EdDSA' }
  const [x, y] = [blob.subarray(-64, -32), blob.subarray(-32)]
  return {
    kty: 'EC',
    crv: 'P-256',
    x: x.toString('base64url'),
    y: y.toString('base64url'),
    alg: 'ES256',
  }
}

describe('importKey', () => {
  it('importKey refuses a public SSH key as a shared secret (CVE-2022-29217)', () => {
    for (const { key } of sshKeys)
      for (const secret of [key, Buffer.from(key)])
        assert.throws(() => importKey({ secret, algorithm: 'HS256' }), TypeError)
    assert.equal(sshKeys.length, 2)
  })

  for (const [kind, key] of [
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey],
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey],
    ['Ed25519', generateKeyPairSync('ed25519').publicKey],
  ] as const) {
    it(`importKey refuses a prefixed public ${kind} key as a secret (CVE-2026-34950)`, () => {
      const pem = key.export({ type: 'spki', format: 'pem' })
      for (const prefix of prefixes) {
        const secret = prefix + pem
        assert.throws(
          () => importKey({ secret, algorithm: 'HS256' }),
          TypeError,
          JSON.stringify(prefix),
        )
        assert.throws(
          () => importKey({ secret: Buffer.from(secret), algorithm: 'HS256' }),
          TypeError,
        )
        assert.throws(() => importKey({ pem: secret, algorithm: 'HS256' }), TypeError)
      }
      assert.equal(prefixes.length, 17)
    })
  }
})

describe('verifyJws', () => {
  it('verifyJws accepts an SSH key’s signature, but no HMAC made with the public key', () => {
    for (const { key, good, bad } of sshKeys) {
      const keys = keySetOf([importKey(jwkOf(key))])
      assert.doesNotThrow(() => verifyJws(good, keys))
      assert.throws(() => verifyJws(bad, keys), TokenError)
    }
  })
})
