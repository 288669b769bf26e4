import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readingsOf } from './readings.ts'

describe('readingsOf', () => {
  const readings = (text: string): string[] =>
    readingsOf(Buffer.from(text)).map((bytes) => bytes.toString('latin1'))

  it('readingsOf reads a text as raw bytes, as base64 and as hex', () => {
    assert.deepEqual(readings('6162'), ['6162', '\u00eb^\u00b6', 'ab'])
    assert.deepEqual(readings('YWI='), ['YWI=', 'ab', ''])
  })

  it('readingsOf skips spaces and quotation marks only at the start of a text', () => {
    for (const start of ['\n', ' "', "'`\t"]) assert.equal(readings(`${start}6162`)[2], 'ab')
    assert.equal(readings('61"62')[2], 'a')
  })
})
