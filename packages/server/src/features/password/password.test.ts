import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openHashThreads, type HashThreads } from './hash-threads.ts'
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
    for (const stored of ['', '$2b$12$abc', '$scrypt$ln=99,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA', undefined])
      assert.equal(await passwords.verify('x', stored), false)
    assert.equal(await passwords.verify('x', await passwords.hash('x')), true)
    await threads.close()
  })
})

describe('the work for a login that does not exist', () => {
  // What is asked of the threads, without the work.
  const asked: string[] = []
  const threads: HashThreads = {
    hash: () => assert.fail('nothing is hashed'),
    verify: async (_password, stored) => asked.push(stored) > 0,
    stats: () => assert.fail('nobody counts'),
    close: async () => {},
  }
  const bcrypt = '$2b$12$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq'

  it('is that of a hash of today at first, then that of the last one that was stored', async () => {
    const passwords = createPasswords(threads)
    await passwords.verify('x', undefined)
    assert.match(asked.at(-1)!, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    await passwords.verify('x', bcrypt)
    for (const stored of [undefined, 'no hash', bcrypt.replace('$12$', '$17$')]) {
      await passwords.verify('x', stored)
      assert.equal(asked.at(-1), bcrypt)
    }
  })

  it('opens nothing, be the password that of the one before', async () => {
    const passwords = createPasswords(threads)
    assert.equal(await passwords.verify('x', bcrypt), true)
    assert.equal(await passwords.verify('x', undefined), false)
    assert.equal(await passwords.verify('x', 'no hash'), false)
  })
})
