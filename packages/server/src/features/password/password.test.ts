import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findPasswordFault, isTooLong } from './password.ts'

describe('findPasswordFault', () => {
  it('counts code points below, and bytes above', () => {
    assert.match(findPasswordFault('🔑'.repeat(14))!, /at least 15 characters/)
    assert.equal(findPasswordFault('🔑'.repeat(15)), undefined)
    assert.equal(findPasswordFault('x'.repeat(1_024)), undefined)
    assert.match(findPasswordFault('x'.repeat(1_025))!, /at most 1024 bytes/)
    assert.match(findPasswordFault('ö'.repeat(513))!, /at most 1024 bytes/)
  })
})

describe('isTooLong', () => {
  it('is said from 1,025 bytes on', () => {
    assert.equal(isTooLong('x'.repeat(1_024)), false)
    assert.equal(isTooLong('x'.repeat(1_025)), true)
  })
})
