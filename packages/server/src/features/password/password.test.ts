import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openHashThreads } from './hash-threads.ts'
import { createPasswords, findPasswordFault, isTooLong } from './password.ts'

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

describe('verify', () => {
  it('answers no, and throws nothing, where the stored value is no hash of ours', async () => {
    const threads = openHashThreads(1)
    const passwords = createPasswords(threads)
    for (const stored of ['', '$2b$12$abc', undefined]) assert.equal(await passwords.verify('x', stored), false)
    assert.equal(await passwords.verify('x', await passwords.hash('x')), true)
    await threads.close()
  })
})
