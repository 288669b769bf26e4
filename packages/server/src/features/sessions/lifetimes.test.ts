import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maxAccessTokenSeconds } from './lifetimes.ts'

describe('maxAccessTokenSeconds', () => {
  it('maxAccessTokenSeconds is 24 hours, as long as a client’s revocation is stored', () => {
    assert.equal(maxAccessTokenSeconds, 86_400)
  })
})
