import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readCookies } from './cookies.ts'

describe('readCookies', () => {
  const read = (cookie: string): readonly string[] =>
    readCookies({ headers: new Headers({ cookie }) }, '__Host-a')

  it('readCookies returns the values of all cookies with the name', () => {
    assert.deepEqual(read('__Host-a=1;\t__Host-ab=2 ; x=3; __Host-a=4=5 '), ['1', '4=5'])
    assert.deepEqual(read('a=1'), [])
  })

  it('readCookies reads a megabyte of spaces in linear time', () => {
    // With quadratic time, this would take half an hour.
    const spaces = ' '.repeat(1_000_000)
    const headers = { get: () => `a${spaces}b;${spaces}__Host-a=1${spaces}2` }
    assert.deepEqual(readCookies({ headers }, '__Host-a'), [`1${spaces}2`])
  })

  it('readCookies ignores a cookie for which a browser does not enforce the prefix', () => {
    for (const before of ['\u00A0', '\u0085', 'x', '=', '-'])
      assert.deepEqual(read(`b=1; ${before}__Host-a=2`), [], JSON.stringify(before))
  })
})
