import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maxAccessTokenSeconds } from './lifetimes.ts'

describe('maxAccessTokenSeconds', () => {
  it('is a day: so long is remembered that a client was disabled', () => {
    assert.equal(maxAccessTokenSeconds, 86_400)
  })
})
