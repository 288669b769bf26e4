import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeBase64, encodeBase64 } from './base64.ts'

describe('decodeBase64', () => {
  it('reads what encodeBase64 writes, of any length (RFC 4648 §4)', () => {
    for (let length = 0; length < 10; length++) {
      const bytes = Buffer.alloc(length, 0xfb)
      assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes)
    }
    assert.equal(encodeBase64(Buffer.from('ab')), 'YWI')
  })

  it('reads no other spelling: padding, stray bits, a letter too many, another alphabet, white space', () => {
    for (const text of ['YWI=', 'YWJ', 'YWIjx', '-_-_', 'YW I', ' YWI', 'YWI\n', 'Y'])
      assert.equal(decodeBase64(text), undefined, text)
  })
})
