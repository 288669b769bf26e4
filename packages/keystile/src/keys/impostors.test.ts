import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findImpostor, isMixed } from './impostors.ts'

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

it('findImpostor recognizes encoded JSON, but an encoded UUID may be a secret', () => {
  const nameOf = (text: string): string | undefined => findImpostor(Buffer.from(text))?.name
  const uuid = '3f2b8a1e-9c4d-4e5f-8a6b-7c8d9e0f1a2b'
  assert.equal(nameOf(uuid), 'a UUID')
  assert.equal(nameOf(btoa(uuid)), undefined)
  assert.equal(nameOf(btoa('{"kty":"oct"}')), 'JSON')
})
