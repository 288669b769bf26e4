import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { escapeLines, escapeUnseen } from './unseen.ts'

describe('escapeUnseen', () => {
  it('escapeUnseen writes control characters and invisible characters as JSON escapes', () => {
    const shown: readonly (readonly [string, string])[] = [
      ['\u001b[31mred', '\\u001b[31mred'],
      ['\u009b31m', '\\u009b31m'],
      ['a\tb\nc\rd\0', 'a\\u0009b\\u000ac\\u000dd\\u0000'],
      ['\u2028\u2029\u0085', '\\u2028\\u2029\\u0085'],
      ['\u202egnp.exe\u200b', '\\u202egnp.exe\\u200b'],
      ['\u{e0001}', '\\udb40\\udc01'],
      ['\ud800', '\\ud800'],
    ]
    for (const [text, expected] of shown) assert.equal(escapeUnseen(text), expected)
  })

  it('escapeUnseen changes neither visible text nor the value of a JSON text', () => {
    const text = 'Ada Lovelace, “née” Byron 🦉 \\u001b'
    assert.equal(escapeUnseen(text), text)
    const value = { a: '\u001b\u2028\u202e' }
    assert.deepEqual(JSON.parse(escapeUnseen(JSON.stringify(value))), value)
  })
})

describe('escapeLines', () => {
  it('escapeLines keeps line breaks and bold text, and escapes other control characters', () => {
    assert.equal(
      escapeLines('\u001b[1mA\u001b[22m\nb\u001b[31m\r'),
      '\u001b[1mA\u001b[22m\nb\\u001b[31m\\u000d',
    )
  })
})
