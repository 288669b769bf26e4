import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openPatientThreads } from '../../../../test-support/patient-threads.ts'
import type { HashThreads } from './hash-threads.ts'
import { createPasswords, isTooLong } from './password.ts'

describe('isTooLong', () => {
  it('isTooLong is true for a password of 1,025 bytes or more', () => {
    assert.equal(isTooLong('x'.repeat(1_024)), false)
    assert.equal(isTooLong('x'.repeat(1_025)), true)
  })
})

describe('verify()', () => {
  it('passwords.verify returns false if the stored value is not a known hash', async () => {
    const threads = openPatientThreads()
    const passwords = createPasswords(threads)
    for (const stored of [
      '',
      '$2b$12$abc',
      '$scrypt$ln=99,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA',
      undefined,
    ])
      assert.equal(await passwords.verify('x', stored), false)
    assert.equal(await passwords.verify('x', await passwords.hash('x')), true)
    await threads.close()
  })
})

describe('hash()', () => {
  it('passwords.hash uses the configured cost, and a cheaper hash is outdated', async () => {
    const threads = openPatientThreads()
    const [before, after] = [
      createPasswords(threads),
      createPasswords(threads, { memoryKiB: 20_480, passes: 3 }),
    ]
    const [low, high] = [await before.hash('x'), await after.hash('x')]
    assert.match(high, /^\$argon2id\$v=19\$m=20480,t=3,p=1\$/)
    assert.equal(await before.verify('x', high), true)
    assert.deepEqual([before.isOutdated(low, 'x'), after.isOutdated(low, 'x')], [false, true])
    assert.deepEqual([before.isOutdated(high, 'x'), after.isOutdated(high, 'x')], [false, false])
    for (const less of [high.replace('m=20480', 'm=20479'), high.replace('t=3', 't=2')])
      assert.equal(after.isOutdated(less, 'x'), true, less)
    await threads.close()
  })
})

describe('renew()', () => {
  it('passwords.renew uses the configured cost and replaces a salt that is too short', async () => {
    const threads = openPatientThreads()
    const [before, after] = [
      createPasswords(threads),
      createPasswords(threads, { memoryKiB: 20_480, passes: 3 }),
    ]
    const old = await before.hash('x')
    const [, , , , salt] = old.split('$')
    const renewed = await after.renew(old, 'x')
    assert.match(renewed, /^\$argon2id\$v=19\$m=20480,t=3,p=1\$/)
    assert.equal(renewed.split('$')[4], salt)
    assert.equal(await after.verify('x', renewed), true)
    const short = old.replace(`$${salt}$`, '$MkM4d05KQk52c1Jj$')
    const another = (await after.renew(short, 'x')).split('$')[4]!
    assert.equal(another.length, salt!.length)
    assert.notEqual(another, salt)
    await threads.close()
  })
})

describe('passwords.verify for an unknown user, with a decoy hash', () => {
  // Records the calls of the threads, and hashes nothing.
  const asked: string[] = []
  const threads: HashThreads = {
    hash: () => assert.fail('no hash must be made'),
    verify: async (_password, stored) => asked.push(stored) > 0,
    requireRoom: () => assert.fail('room must not be asked for'),
    close: async () => {},
  }
  const bcrypt = '$2b$12$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq'

  it('for an unknown user, passwords.verify uses the last verified hash as decoy', async () => {
    const passwords = createPasswords(threads)
    await passwords.verify('x', undefined)
    assert.match(asked.at(-1)!, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    await passwords.verify('x', bcrypt)
    for (const stored of [undefined, 'no hash', bcrypt.replace('$12$', '$17$')]) {
      await passwords.verify('x', stored)
      assert.equal(asked.at(-1), bcrypt)
    }
  })

  it('passwords.verify uses the configured cost for an unknown user', async () => {
    const passwords = createPasswords(threads, { memoryKiB: 20_000, passes: 3 })
    await passwords.verify('x', undefined)
    assert.match(asked.at(-1)!, /^\$argon2id\$v=19\$m=20000,t=3,p=1\$/)
  })

  it('passwords.verify refuses every password of an unknown user', async () => {
    const passwords = createPasswords(threads)
    assert.equal(await passwords.verify('x', bcrypt), true)
    assert.equal(await passwords.verify('x', undefined), false)
    assert.equal(await passwords.verify('x', 'no hash'), false)
  })
})
