import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maxAccessTokenSeconds } from './lifetimes.ts'

describe('maxAccessTokenSeconds', () => {
  it('maxAccessTokenSeconds is a day: the revocation of a disabled client lasts as long', () => {
    assert.equal(maxAccessTokenSeconds, 86_400)
  })
})
