import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMixed } from './impostors.ts'

describe('isMixed', () => {
  it('isMixed is true if at least a quarter of the characters differ in kind from the next', () => {
    for (const [text, mixed] of [
      ['abcD', true],
      ['abc0', true],
      ['ABC0', true],
      ['012a', true],
      ['012A', true],
      ['abcdE', false],
      ['abcd', false],
      ['ABCD', false],
      ['0123', false],
    ] as const)
      assert.equal(isMixed(text), mixed, text)
  })

  it('isMixed counts only letters and digits, and ignores the first capital of a word', () => {
    assert.equal(isMixed('Abcd'), false)
    assert.equal(isMixed('a-b-c_d-E'), false)
    assert.equal(isMixed('a-b-c-D'), true)
    assert.equal(isMixed('----'), true)
  })
})
