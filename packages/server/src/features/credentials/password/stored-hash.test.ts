import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hash } from './argon2.ts'
import { isHash, isOutdated, passwordMark, verify } from './stored-hash.ts'

const password = Buffer.from('correct horse battery staple')
const foreign = {
  argon2id:
    '$argon2id$v=19$m=1024,t=2,p=1$MkM4d05KQk52c1Jj$tlppzze2ON2LMenvqdLZaEG49DydmkOAkzXd0qdwFzA',
  scrypt: '$scrypt$ln=7,r=8,p=2$H8NYa20NgTDG+L8XYgwBoA$jjx9hbzgI+GWTTfpX18bYWnZAh5w0sotR6q1aQIPxAg',
  bcrypt: '$2b$04$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq',
}

describe('verify()', () => {
  for (const [kind, stored] of Object.entries(foreign)) {
    it(`verify() accepts an outdated ${kind} hash`, async () => {
      assert.equal(isHash(stored), true)
      assert.equal(await verify(password, stored), true)
      assert.equal(await verify(Buffer.from('another'), stored), false)
      assert.equal(isOutdated(stored, password), true)
    })
  }

  it('verify() of stored hashes rejects a hash of an unknown kind', async () => {
    const others = [
      '',
      'x',
      '$1$abc',
      '$pbkdf2-sha256$1000$c2FsdA$AAAA',
      '{SHA}AAAA',
      '5f4dcc3b5aa765d61d8327deb882cf99',
    ]
    for (const stored of others) {
      assert.equal(isHash(stored), false)
      await assert.rejects(verify(password, stored), /must be an argon2id, scrypt or bcrypt hash/)
    }
  })
})

describe('isOutdated', () => {
  it('isOutdated is false for a hash with the default cost', () => {
    assert.equal(isOutdated(hash(password), password), false)
  })

  it('isOutdated is false if the hash is bcrypt and the password has more than 72 bytes', () => {
    const long = Buffer.from('x'.repeat(73))
    assert.equal(isOutdated(foreign.bcrypt, long), false)
    assert.equal(isOutdated(foreign.bcrypt, long.subarray(0, 72)), true)
    assert.equal(isOutdated(foreign.scrypt, long), true)
  })
})

describe('passwordMark', () => {
  it('passwordMark stays the same if a hash is renewed, but not if a password is set again', () => {
    const stored = hash(password)
    const [salt, other] = [stored.split('$')[4]!, hash(password)]
    const anew = hash(password, { memory: 64, passes: 1, parallelism: 1 }, salt)
    assert.notEqual(anew, stored)
    assert.equal(passwordMark(anew), passwordMark(stored))
    assert.notEqual(passwordMark(other), passwordMark(stored))
  })

  it('passwordMark returns the whole hash if a renewal would replace the salt', () => {
    for (const stored of Object.values(foreign)) assert.equal(passwordMark(stored), stored)
  })
})
