import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maxAccessTokenSeconds } from './lifetimes.ts'

describe('maxAccessTokenSeconds', () => {
  it('maxAccessTokenSeconds equals the time that a client’s revocation is stored: 24 hours', () => {
    assert.equal(maxAccessTokenSeconds, 86_400)
  })
})
