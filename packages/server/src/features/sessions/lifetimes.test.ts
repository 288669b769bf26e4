import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maxAccessTokenSeconds } from './lifetimes.ts'

describe('maxAccessTokenSeconds', () => {
  it('the longest lifetime of an access token (maxAccessTokenSeconds) is 24 hours', () => {
    assert.equal(maxAccessTokenSeconds, 86_400)
  })
})
