import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isScopeName, parseScope } from './scope.ts'

describe('parseScope (RFC 6749 §3.3)', () => {
  const table: readonly [string, readonly string[] | undefined][] = [
    ['', []],
    [' ', []],
    ['a', ['a']],
    ['items:read items:write', ['items:read', 'items:write']],
    ['b a', ['b', 'a']],
    ['  a   b ', ['a', 'b']],
    ['a a b a', ['a', 'b']],
    ['A a', ['A', 'a']],
    ['__proto__ constructor', ['__proto__', 'constructor']],
    ['a\tb', undefined],
    ['a\nb', undefined],
    ['a"b', undefined],
    ['a\\b', undefined],
    ['\u00e9', undefined],
    ['a\u007f', undefined],
    ['a\0', undefined],
    ['\u{1f600}', undefined],
  ]
  for (const [text, scopes] of table) {
    it(`parseScope returns ${JSON.stringify(scopes)} for ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseScope(text), scopes)
    })
  }

  it('parseScope accepts a string of 4,096 characters, and refuses a longer one', () => {
    assert.deepEqual(parseScope('x'.repeat(4096)), ['x'.repeat(4096)])
    assert.equal(parseScope('x'.repeat(4097)), undefined)
  })
})

describe('isScopeName', () => {
  it('isScopeName is true only for a string with exactly one scope name', () => {
    for (const name of ['a', 'items:read', 'https://api.example/x', '!#[]~'])
      assert.equal(isScopeName(name), true, name)
    for (const name of ['', ' ', 'a b', ' a', 'a ', 'a"', 'a\\', '\u00e9'])
      assert.equal(isScopeName(name), false, name)
  })
})
