import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMixed } from './impostors.ts'

describe('isMixed', () => {
  it('isMixed is true if the kind of character changes at least once in four characters', () => {
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

  it('isMixed ignores the first capital of a word, and counts only letters and digits', () => {
    assert.equal(isMixed('Abcd'), false)
    assert.equal(isMixed('a-b-c_d-E'), false)
    assert.equal(isMixed('a-b-c-D'), true)
    assert.equal(isMixed('----'), true)
  })
})
