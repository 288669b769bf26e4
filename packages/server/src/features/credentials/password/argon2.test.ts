import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashRawSync, hashSync, verifySync } from '@node-rs/argon2'
import { deriveWithNode } from './argon2-derive.ts'
import { createDecoy, defaultParameters, hash, isOutdated, verify } from './argon2.ts'

const password = Buffer.from('pass\0wörd')

describe('hash()', () => {
  it('an argon2 hash is a PHC string with OWASP’s parameters and a new salt', () => {
    const [one, two] = [hash(password), hash(password)]
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(one, two)
  })

  it('another implementation accepts Keystile’s argon2 hash', () => {
    assert.equal(verifySync(hash(password), password), true)
    assert.equal(verifySync(hash(password), 'other'), false)
  })
})

describe('verify()', () => {
  it('argon2’s verify() accepts only the right password, and compares every byte', () => {
    const stored = hash(password)
    assert.equal(verify(password, stored), true)
    for (const other of ['pass\0wöre', 'pass', 'pass\0wör', 'PASS\0WÖRD', ''])
      assert.equal(verify(Buffer.from(other), stored), false, other)
  })

  it('argon2’s verify() accepts hashes with parameters that differ from the defaults', () => {
    assert.equal(
      verify(password, hashSync(password, { memoryCost: 8_192, timeCost: 3, parallelism: 2 })),
      true,
    )
  })

  it('argon2’s verify() accepts hashes from other implementations', () => {
    // Made by argon2 20190702 of Debian: `printf '…' | argon2 2C8wMJBNvsRc -id -t … -k … -p … -e`.
    // The third hash was made by password_hash of PHP 8.4.28.
    const staple = 'correct horse battery staple'
    const hashes = [
      [
        staple,
        '$argon2id$v=19$m=1024,t=2,p=1$MkM4d05KQk52c1Jj$tlppzze2ON2LMenvqdLZaEG49DydmkOAkzXd0qdwFzA',
      ],
      [staple, '$argon2id$v=19$m=256,t=3,p=4$MkM4d05KQk52c1Jj$HFMsP/Rukyl+kdbbBuc9B8Oj4lK39CyW'],
      [
        staple,
        '$argon2id$v=19$m=1024,t=2,p=1$RkN0L2ZqWjE5LjQ3QldkNg$kb+3CsMbKnFUmkeyOSdzNstVdBJ7fpNoxPhIDl0eDy8',
      ],
      [
        'pässwörd ☃',
        '$argon2id$v=19$m=64,t=1,p=2$MkM4d05KQk52c1Jj$xGTSYLmXy1KGXZNH2tph2R0fB2vKZ6InKurPLH7VGA8',
      ],
    ] as const
    for (const [text, stored] of hashes) {
      assert.equal(verify(Buffer.from(text), stored), true, stored)
      assert.equal(verify(Buffer.from(`${text}x`), stored), false, stored)
      assert.equal(verify(Buffer.from(text), stored.replace(',t=', ',t=1')), false, stored)
      assert.equal(isOutdated(stored), true)
    }
  })

  it('argon2’s verify() throws for another argon2 variant, a cut hash or bad base64', () => {
    // The first two hashes were made by the same program, with `-i` and with `-v 10`.
    const good =
      '$argon2id$v=19$m=256,t=2,p=1$MkM4d05KQk52c1Jj$cLp8GBnSSRrjoVP4EPeIQa4G9+Et2roWFSPwl83AQVk'
    const bad = [
      '$argon2i$v=19$m=256,t=2,p=1$MkM4d05KQk52c1Jj$cLp8GBnSSRrjoVP4EPeIQa4G9+Et2roWFSPwl83AQVk',
      '$argon2id$v=16$m=256,t=2,p=1$MkM4d05KQk52c1Jj$7UJ4s5ycePkxsqxHd7bzm3j8TG3PJIqAaXEti0U5rr4',
      good.slice(0, -1).replace(/.$/, '8'), // unused bits are not zero
      good.slice(0, -2), // not a whole number of bytes
      good.replace('MkM4d05KQk52c1Jj', 'MkM4d05KQk52c1J'),
      good.replace('MkM4d05KQk52c1Jj', 'MkM4d05KQk52c1Jjx'),
      good.replace('+', '-'),
      good.slice(0, good.lastIndexOf('$')),
      ` ${good}`,
      `${good}\n`,
    ]
    assert.equal(verify(password, good), false)
    for (const value of bad)
      assert.throws(() => verify(password, value), /must be an argon2id/, value)
  })

  it('argon2’s verify() throws if the hash is invalid, or needs too much memory or time', () => {
    const stored = hash(password)
    const bad = [
      '',
      'x',
      stored.replace('argon2id', 'argon2i'),
      stored.replace('v=19', 'v=16'),
      stored.replace('m=19456', 'm=99999999'),
      stored.replace('t=2', 't=999'),
      `${stored}=`,
    ]
    for (const value of bad)
      assert.throws(() => verify(password, value), /must be an argon2id/, value)
  })
})

describe('the parameters of a stored argon2 hash', () => {
  const stored = hash(password)
  const withParameters = (memory: number, passes: number, parallelism: number): string =>
    stored.replace('m=19456,t=2,p=1', `m=${memory},t=${passes},p=${parallelism}`)

  it('argon2’s verify() refuses parameters that argon2 does not allow (RFC 9106 §3.1)', () => {
    const least = hashSync(password, { memoryCost: 8, timeCost: 1, parallelism: 1 })
    assert.equal(verify(password, least), true)
    const impossible = [
      withParameters(7, 1, 1),
      withParameters(15, 1, 2),
      withParameters(19_456, 0, 1),
      withParameters(19_456, 1, 0),
    ]
    for (const value of impossible)
      assert.throws(() => verify(password, value), /must be an argon2id/, value)
  })

  it('isOutdated is true for an argon2 hash with too much memory or too many passes', () => {
    // A readable hash that is stronger than the default is not outdated; an unreadable one is.
    const outdated = [
      [1_048_576, 4, false],
      [1_048_577, 2, true],
      [1_048_576, 5, true],
      [65_536, 64, false],
      [65_536, 65, true],
    ] as const
    for (const [memory, passes, expected] of outdated)
      assert.equal(isOutdated(withParameters(memory, passes, 1)), expected, `${memory} ${passes}`)
  })
})

describe('isOutdated', () => {
  it('isOutdated is true for an argon2 hash with too little memory or too few passes', () => {
    const withParameters = (memory: number, passes: number): string =>
      hash(password).replace('m=19456,t=2', `m=${memory},t=${passes}`)
    assert.equal(isOutdated(hash(password)), false)
    assert.equal(isOutdated(withParameters(19_455, 2)), true)
    assert.equal(isOutdated(withParameters(19_456, 1)), true)
    assert.equal(isOutdated(withParameters(65_536, 3)), false)
    assert.equal(isOutdated('$2b$12$abc'), true)
  })
})

describe('createDecoy', () => {
  it('createDecoy returns a hash that has the default cost and matches no password', () => {
    assert.equal(isOutdated(createDecoy()), false)
    assert.equal(verify(password, createDecoy()), false)
  })
})

describe('deriveWithNode', () => {
  it('deriveWithNode returns the same bytes as the prebuilt argon2 library', () => {
    const salt = Buffer.from('0123456789abcdef')
    const { memory, passes, parallelism } = defaultParameters
    const expected = hashRawSync(password, {
      salt,
      outputLen: 32,
      memoryCost: memory,
      timeCost: passes,
      parallelism,
    })
    assert.deepEqual(Buffer.from(deriveWithNode(password, salt, 32, defaultParameters)), expected)
  })
})
