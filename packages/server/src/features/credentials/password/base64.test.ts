import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeBase64, encodeBase64, isBase64 } from './base64.ts'

describe('base64', () => {
  it('isBase64 accepts the output of encodeBase64 for input of any length (RFC 4648 §4)', () => {
    for (let length = 0; length < 10; length++) {
      for (const byte of [0x00, 0x41, 0xfb, 0xff]) {
        const bytes = Buffer.alloc(length, byte)
        const text = encodeBase64(bytes)
        assert.ok(isBase64(text), text)
        assert.deepEqual(decodeBase64(text), bytes)
      }
    }
    assert.equal(encodeBase64(Buffer.from('ab')), 'YWI')
  })

  it('isBase64 accepts the last letter only if its unused bits are zero', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    for (const start of ['', 'Y', 'YW', 'YWI', 'YWIj'])
      for (const letter of letters) {
        const text = start + letter
        assert.equal(isBase64(text), encodeBase64(decodeBase64(text)) === text, text)
      }
  })

  it('isBase64 refuses padding, spaces, other alphabets, and unused bits that are not zero', () => {
    for (const text of ['YWI=', 'YWJ', 'YWIjx', '-_-_', 'YW I', ' YWI', 'YWI\n', 'Y'])
      assert.ok(!isBase64(text), text)
  })
})
