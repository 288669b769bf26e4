import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findSealingSecretFaults } from './sealing-secret-faults.ts'

const good = '0f1e2d3c4b5a69788796a5b4c3d2e1f0'

describe('findSealingSecretFaults', () => {
  const kindsOf = (secret: string): readonly string[] =>
    findSealingSecretFaults(secret).map(({ kind }) => kind)

  it('findSealingSecretFaults demands 32 random characters', () => {
    assert.deepEqual(kindsOf(good), [])
    for (const weak of [good.slice(1), '0123456789abcde'.repeat(3), '0123456789abcdef'.repeat(4)])
      assert.deepEqual(kindsOf(weak), ['weak'])
  })

  it('findSealingSecretFaults refuses a sentence, but not words with random characters', () => {
    for (const sentence of [
      'this is a very long secret string for production',
      ' Ein langer, geheimer Satz für unseren Betrieb!\n',
      'correct horse batterystaplekeyboards',
    ]) {
      assert.deepEqual(kindsOf(sentence), ['weak'])
      assert.ok(!findSealingSecretFaults(sentence).some(({ message }) => message.includes('horse')))
    }
    for (const random of ['kQvZpXmWtYuBnRsDfGhJlA-xPqLwEoIyTz', `a shop: ${good}`, `shop ${good}`])
      assert.deepEqual(kindsOf(random), [])
  })

  it('findSealingSecretFaults refuses sample secrets, URLs and paths without printing them', () => {
    for (const known of [
      '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
      'super-secret-jwt-token-with-at-least-32-characters-long',
      'https://tenant.example/.well-known/jwks.json',
      '/run/secrets/keystile-production.key',
    ]) {
      assert.deepEqual(kindsOf(known), ['known'])
      assert.ok(!findSealingSecretFaults(known).some(({ message }) => message.includes(known)))
    }
  })
})
