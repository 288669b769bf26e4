import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCutShort, isHash, verify } from './bcrypt.ts'

const staple = 'correct horse battery staple'
const ninety = '0123456789'.repeat(9)

// Made by crypt.crypt of Python 3.11 with libxcrypt 4.4.38 of Debian. Those marked PHP were made by
// password_hash of PHP 8.4.28.
const hashes: readonly (readonly [string, string])[] = [
  [staple, '$2b$04$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq'],
  [staple, '$2y$04$TwvMUaY9mJWfxRvCyh4AsOStIE3sQbrZAkkLG3yrNHWHlLTLj6VUm'],
  [staple, '$2y$05$bTn2yLNgszvPl96T2OI5OuWCUEk10EgEwsqub78HkQmC6lZkMZE3K'], // PHP
  ['pässwörd ☃', '$2a$04$go0ksMdbVBQoan8f9iGUXOvDWDEQbeXqv0A7vHjcY6ka8/a8NW1xm'],
]
const longs = [
  '$2b$04$zURFbW97rGSFPw//GZTsJOxRlNvc2Th5VA.9AGZB/QVL74TtqLoHa',
  '$2y$04$Ez8qLv/sBZC6CkLyXcD/Ue5AZdtVwvGrckC0B5olph67Y2q3eSjcm', // PHP
]
const good = hashes[0]![1]

describe('verify()', () => {
  it('bcrypt’s verify() accepts $2a$, $2b$ and $2y$ hashes of other implementations', async () => {
    for (const [password, stored] of hashes) {
      assert.equal(await verify(Buffer.from(password), stored), true, stored)
      assert.equal(await verify(Buffer.from(`${password}x`), stored), false, stored)
      assert.equal(await verify(Buffer.from(password.slice(0, -1)), stored), false, stored)
    }
  })

  it('bcrypt’s verify() returns false if the cost, the salt or the hash was altered', async () => {
    for (const [from, to] of [
      ['$04$', '$05$'],
      ['$O7', '$O8'],
      ['mS5', 'mS6'],
    ] as const)
      assert.equal(await verify(Buffer.from(staple), good.replace(from, to)), false, to)
  })

  it('bcrypt’s verify() compares only the first 72 bytes, like other implementations', async () => {
    for (const stored of longs) {
      assert.equal(await verify(Buffer.from(ninety), stored), true)
      assert.equal(await verify(Buffer.from(ninety.slice(0, 72)), stored), true)
      assert.equal(await verify(Buffer.from(`${ninety.slice(0, 72)}anything`), stored), true)
      assert.equal(await verify(Buffer.from(ninety.slice(0, 71)), stored), false)
    }
  })

  it('bcrypt’s verify() refuses a password with a NUL byte (bcrypt would stop there)', async () => {
    const { hashSync, verifySync } = await import('@node-rs/bcrypt')
    const stored = hashSync('a', 4)
    assert.equal(verifySync('a\0a', stored), true, 'the library cannot tell')
    assert.equal(await verify(Buffer.from('a'), stored), true)
    for (const password of ['a\0a', 'a\0', `${'a\0'.repeat(36)}b`])
      assert.equal(await verify(Buffer.from(password), stored), false, JSON.stringify(password))
  })
})

describe('isHash', () => {
  it('bcrypt’s isHash() is false for a cut or malformed hash, or an unknown prefix', () => {
    assert.equal(isHash(good), true)
    const bad = [
      '',
      '$2b$04$',
      good.slice(0, -1),
      good.slice(0, 29),
      `${good}x`,
      ` ${good}`,
      `${good}\n`,
      good.replace('$2b$', '$2x$'),
      good.replace('$2b$', '$2$'),
      good.replace('$04$', '$4$'),
      good.replace('$04$', '$+4$'),
      good.replace('S5y', 'S=y'),
      good.replace(/.$/, 'r'), // unused bits of the hash are not zero
      good.replace('5YOO', '5YOP'), // unused bits of the salt are not zero
    ]
    for (const stored of bad) assert.equal(isHash(stored), false, stored)
  })

  it('bcrypt’s isHash() is false for a cost that is impossible or too slow', () => {
    for (const [cost, expected] of [
      ['03', false],
      ['04', true],
      ['16', true],
      ['17', false],
      ['31', false],
      ['99', false],
    ] as const)
      assert.equal(isHash(good.replace('$04$', `$${cost}$`)), expected, cost)
  })
})

describe('isCutShort', () => {
  it('isCutShort is true if the hash is bcrypt and the password has more than 72 bytes', () => {
    assert.equal(isCutShort(Buffer.from('x'.repeat(72)), good), false)
    assert.equal(isCutShort(Buffer.from('x'.repeat(73)), good), true)
    assert.equal(isCutShort(Buffer.from('x'.repeat(73)), '$argon2id$'), false)
  })
})
