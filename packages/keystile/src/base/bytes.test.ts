import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createByteCollector, parseBase64url, parseUtf8, readingsOf, toBase64url } from './bytes.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('')

describe('parseBase64url', () => {
  it('reads what toBase64url writes, for every length and every byte', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length * 11) % 256))
      assert.deepEqual(parseBase64url(toBase64url(bytes)), bytes)
    }
    for (let byte = 0; byte < 256; byte++)
      assert.deepEqual(parseBase64url(toBase64url(Buffer.of(byte))), Buffer.of(byte))
  })

  it('accepts one spelling of each byte, and none of the fifteen others (RFC 4648 §3.5)', () => {
    for (const first of alphabet) {
      const accepted = alphabet.filter((last) => parseBase64url(first + last))
      assert.deepEqual(accepted, ['A', 'Q', 'g', 'w'])
    }
  })

  it('accepts one spelling of two bytes, and none of the three others (RFC 4648 §3.5)', () => {
    const accepted = alphabet.filter((last) => parseBase64url(`_x${last}`))
    assert.equal(accepted.join(''), 'AEIMQUYcgkosw048')
    for (const last of accepted)
      assert.equal(toBase64url(parseBase64url(`_x${last}`) ?? ''), `_x${last}`)
  })

  it('accepts every last character where no bit is left over', () => {
    for (const last of alphabet) assert.ok(parseBase64url(`abc${last}`))
  })

  for (const text of ['A', 'AAAAA', 'AAAAAAAAA']) {
    it(`refuses ${text}: no bytes have that length`, () => {
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
    it(`refuses ${JSON.stringify(other)} before, within and after (RFC 7515 §2)`, () => {
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

  it('reads nothing as no bytes', () => {
    assert.deepEqual(parseBase64url(''), Buffer.alloc(0))
  })
})

describe('toBase64url', () => {
  it('writes text as UTF-8, without padding, in the URL alphabet', () => {
    assert.equal(toBase64url('\u00fb\u00ff'), 'w7vDvw')
    assert.equal(toBase64url(Buffer.of(0xfb, 0xff)), '-_8')
    assert.equal(toBase64url(''), '')
  })

  it('writes the bytes of a view, not those around it', () => {
    assert.equal(toBase64url(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)), 'AgM')
  })
})

describe('parseUtf8', () => {
  it('reads UTF-8, and keeps a byte order mark as the character it is', () => {
    assert.equal(parseUtf8(Buffer.from('\u00e9\u{1f600}\0')), '\u00e9\u{1f600}\0')
    assert.equal(parseUtf8(Buffer.from('efbbbf61', 'hex')), '\ufeffa')
  })

  const wrong: readonly [string, string][] = [
    ['a byte that never stands in UTF-8', 'ff'],
    ['a continuation alone', '80'],
    ['a sequence cut short', 'c3'],
    ['an overlong slash', 'c0af'],
    ['an overlong NUL', 'c080'],
    ['a surrogate', 'eda080'],
    ['a code point above U+10FFFF', 'f4908080'],
    ['Latin-1', '636166e9'],
  ]
  for (const [name, hex] of wrong) {
    it(`refuses ${name}`, () => {
      assert.equal(parseUtf8(Buffer.from(hex, 'hex')), undefined)
    })
  }
})

describe('readingsOf', () => {
  const readings = (text: string): string[] =>
    readingsOf(Buffer.from(text)).map((bytes) => bytes.toString('latin1'))

  it('reads bytes as they are, as base64 and as hex', () => {
    assert.deepEqual(readings('6162'), ['6162', '\u00eb^\u00b6', 'ab'])
    assert.deepEqual(readings('YWI='), ['YWI=', 'ab', ''])
  })

  it('skips white space and quotation marks at the start of an encoded text, and only there', () => {
    for (const start of ['\n', ' "', "'`\t"]) assert.equal(readings(`${start}6162`)[2], 'ab')
    assert.equal(readings('61"62')[2], 'a')
  })
})

describe('createByteCollector', () => {
  it('joins pieces of any number in their order', () => {
    for (const count of [0, 1, 63, 64, 65, 1_000]) {
      const collector = createByteCollector()
      const pieces = Array.from({ length: count }, (_, i) => Buffer.from([i & 255, (i >> 8) & 255]))
      for (const piece of pieces) collector.add(piece)
      assert.equal(collector.size, count < 2 ? 2 * count : 16 * (count - 1))
      assert.deepEqual(collector.bytes(), Buffer.concat(pieces))
    }
  })

  it('counts the bytes of pieces of 16 bytes and more, and of the first piece', () => {
    const collector = createByteCollector()
    for (const length of [16, 17, 1_000]) collector.add(new Uint8Array(length))
    assert.equal(collector.size, 1_033)
  })

  it('keeps no buffer for each piece: a body in pieces of one byte would take several hundred times its size', async () => {
    const pieces: WeakRef<Uint8Array>[] = []
    const collector = createByteCollector()
    for (let i = 0; i < 10_000; i++) {
      const piece = new Uint8Array(1)
      pieces.push(new WeakRef(piece))
      collector.add(piece)
    }
    await new Promise((resolve) => setImmediate(resolve)) // what a WeakRef was made for lives until then
    setFlagsFromString('--expose-gc')
    ;(runInNewContext('gc') as () => void)()
    const kept = pieces.filter((piece) => piece.deref()).length

    assert.ok(kept < 200)
    // Joining at each piece would take time that grows with the square of their number.
    assert.ok(kept >= 45, 'the last 45 pieces are not joined yet')
    assert.equal(collector.bytes().length, 10_000)
  })
})
