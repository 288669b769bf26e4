import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { hashSecret, isSecretOf, makeSecret } from './secret.ts'

describe('makeSecret() and isSecretOf()', () => {
  it('makeSecret returns 256 random bits', () => {
    const made = Array.from({ length: 100 }, makeSecret)
    assert.equal(new Set(made).size, 100)
    for (const secret of made) assert.equal(Buffer.from(secret, 'base64url').length, 32)
  })

  it('isSecretOf refuses a secret in which only unused base64url bits are changed', () => {
    const secret = makeSecret()
    const hash = hashSecret(secret)
    assert.equal(hash, createHash('sha256').update(secret).digest('base64url'))
    assert.ok(isSecretOf(secret, hash))
    assert.ok(!isSecretOf(makeSecret(), hash))
    assert.ok(!isSecretOf(secret, ''))
    const bytes = Buffer.from(secret, 'base64url')
    const spellings = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      .split('')
      .map((last) => `${secret.slice(0, -1)}${last}`)
      .filter((spelling) => spelling !== secret && Buffer.from(spelling, 'base64url').equals(bytes))
    assert.equal(spellings.length, 3)
    for (const spelling of spellings) assert.ok(!isSecretOf(spelling, hash))
  })
})
