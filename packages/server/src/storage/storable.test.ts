import assert from 'node:assert/strict'
import { it } from 'node:test'
import { areStorable } from './storable.ts'

it('areStorable is false if a string contains U+0000 or a lone surrogate', () => {
  assert.equal(areStorable(), true)
  assert.equal(areStorable('ada', undefined, '', '😀'), true)
  assert.equal(areStorable('ada', 'a\0'), false)
  assert.equal(areStorable('\ud83d', 'ada'), false)
})
