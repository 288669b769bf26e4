import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maxAccessTokenSeconds } from './lifetimes.ts'

describe('maxAccessTokenSeconds', () => {
  it('maxAccessTokenSeconds is 24 hours: a client’s revocation is stored for 24 hours', () => {
    assert.equal(maxAccessTokenSeconds, 86_400)
  })
})
