import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseBase64url, parseUtf8, toBase64url } from './bytes.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('')

describe('parseBase64url', () => {
  it('parseBase64url decodes what toBase64url encodes, for every length and every byte', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length * 11) % 256))
      assert.deepEqual(parseBase64url(toBase64url(bytes)), bytes)
    }
    for (let byte = 0; byte < 256; byte++)
      assert.deepEqual(parseBase64url(toBase64url(Buffer.of(byte))), Buffer.of(byte))
  })

  it('parseBase64url refuses 2-character text if its last 4 bits are not 0 (RFC 4648 §3.5)', () => {
    for (const first of alphabet) {
      const accepted = alphabet.filter((last) => parseBase64url(first + last))
      assert.deepEqual(accepted, ['A', 'Q', 'g', 'w'])
    }
  })

  it('parseBase64url refuses 3-character text if its last 2 bits are not 0 (RFC 4648 §3.5)', () => {
    const accepted = alphabet.filter((last) => parseBase64url(`_x${last}`))
    assert.equal(accepted.join(''), 'AEIMQUYcgkosw048')
    for (const last of accepted)
      assert.equal(toBase64url(parseBase64url(`_x${last}`) ?? ''), `_x${last}`)
  })

  it('parseBase64url accepts any last character if the length is a multiple of 4', () => {
    for (const last of alphabet) assert.ok(parseBase64url(`abc${last}`))
  })

  for (const text of ['A', 'AAAAA', 'AAAAAAAAA']) {
    it(`parseBase64url refuses ${text}, because no base64url text has this length`, () => {
      assert.equal(parseBase64url(text), undefined)
    })
  }

  const strange = [
    '=',
    '==',
    '+',
    '/',
    ' ',
    '\n',
    '\r\n',
    '\t',
    '\0',
    '.',
    '%3D',
    '\u00e9',
    '\u0410',
    '\uff21',
    '"',
    "'",
    '?',
  ]
  for (const other of strange) {
    it(`parseBase64url refuses ${JSON.stringify(other)} anywhere in the text (RFC 7515 §2)`, () => {
      for (const text of [
        `${other}AAAA`,
        `AA${other}AA`,
        `AAAA${other}`,
        `AA${other}`,
        `AAA${other}`,
        other,
      ]) {
        assert.equal(parseBase64url(text), undefined, JSON.stringify(text))
      }
    })
  }

  it('parseBase64url decodes an empty string to zero bytes', () => {
    assert.deepEqual(parseBase64url(''), Buffer.alloc(0))
  })
})

describe('toBase64url', () => {
  it('toBase64url encodes a string’s UTF-8 bytes with - and _, and without padding', () => {
    assert.equal(toBase64url('\u00fb\u00ff'), 'w7vDvw')
    assert.equal(toBase64url(Buffer.of(0xfb, 0xff)), '-_8')
    assert.equal(toBase64url(''), '')
  })

  it('toBase64url encodes only the bytes of a subarray, not the whole buffer', () => {
    assert.equal(toBase64url(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)), 'AgM')
  })
})

describe('parseUtf8', () => {
  it('parseUtf8 reads UTF-8, and keeps a byte order mark as a character', () => {
    assert.equal(parseUtf8(Buffer.from('\u00e9\u{1f600}\0')), '\u00e9\u{1f600}\0')
    assert.equal(parseUtf8(Buffer.from('efbbbf61', 'hex')), '\ufeffa')
  })

  const wrong: readonly [string, string][] = [
    ['a byte that UTF-8 does not use', 'ff'],
    ['a continuation byte alone', '80'],
    ['an incomplete sequence', 'c3'],
    ['an overlong slash', 'c0af'],
    ['an overlong NUL', 'c080'],
    ['a surrogate', 'eda080'],
    ['a code point above U+10FFFF', 'f4908080'],
    ['Latin-1', '636166e9'],
  ]
  for (const [name, hex] of wrong) {
    it(`parseUtf8 refuses ${name}`, () => {
      assert.equal(parseUtf8(Buffer.from(hex, 'hex')), undefined)
    })
  }
})
