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

describe('verify', () => {
  for (const [kind, stored] of Object.entries(foreign)) {
    it(`verifies ${kind}, to be made anew as argon2id of today`, async () => {
      assert.equal(isHash(stored), true)
      assert.equal(await verify(password, stored), true)
      assert.equal(await verify(Buffer.from('another'), stored), false)
      assert.equal(isOutdated(stored, password), true)
    })
  }

  it('rejects what is of no kind that it knows', async () => {
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
      await assert.rejects(verify(password, stored), /none that can be verified/)
    }
  })
})

describe('isOutdated', () => {
  it('is not said of a hash of today', () => {
    assert.equal(isOutdated(hash(password), password), false)
  })

  it('is not said where bcrypt has compared a part of the password only', () => {
    const long = Buffer.from('x'.repeat(73))
    assert.equal(isOutdated(foreign.bcrypt, long), false)
    assert.equal(isOutdated(foreign.bcrypt, long.subarray(0, 72)), true)
    assert.equal(isOutdated(foreign.scrypt, long), true)
  })
})

describe('passwordMark', () => {
  it('is one for all hashes of a password that were made anew, and another for each that was not', () => {
    const stored = hash(password)
    const [salt, other] = [stored.split('$')[4]!, hash(password)]
    const anew = hash(password, { memory: 64, passes: 1, parallelism: 1 }, salt)
    assert.notEqual(anew, stored)
    assert.equal(passwordMark(anew), passwordMark(stored))
    assert.notEqual(passwordMark(other), passwordMark(stored))
  })

  it('is all of a hash that would get another salt: of another kind, or with one that is shorter than ours', () => {
    for (const stored of Object.values(foreign)) assert.equal(passwordMark(stored), stored)
  })
})
