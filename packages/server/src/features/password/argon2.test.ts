import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashRawSync, hashSync, verifySync } from '@node-rs/argon2'
import { createDecoy, deriveWithNode, hash, isOutdated, parameters, verify } from './argon2.ts'

const password = Buffer.from('pass\0wörd')

describe('hash', () => {
  it('makes a PHC string with at least the parameters of OWASP, and a salt of its own each time', () => {
    const [one, two] = [hash(password), hash(password)]
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(one, two)
  })

  it('is read by another implementation', () => {
    assert.equal(verifySync(hash(password), password), true)
    assert.equal(verifySync(hash(password), 'other'), false)
  })
})

describe('verify', () => {
  it('tells the password of a hash from any other, to the last byte', () => {
    const stored = hash(password)
    assert.equal(verify(password, stored), true)
    for (const other of ['pass\0wöre', 'pass', 'pass\0wör', 'PASS\0WÖRD', ''])
      assert.equal(verify(Buffer.from(other), stored), false, other)
  })

  it('reads hashes of other parameters', () => {
    assert.equal(verify(password, hashSync(password, { memoryCost: 8_192, timeCost: 3, parallelism: 2 })), true)
  })

  it('throws for a stored value that is no argon2id hash, or would take all memory', () => {
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
    for (const value of bad) assert.throws(() => verify(password, value), /no argon2id/, value)
  })
})

describe('the parameters of a stored hash', () => {
  const stored = hash(password)
  const withParameters = (memory: number, passes: number, parallelism: number): string =>
    stored.replace('m=19456,t=2,p=1', `m=${memory},t=${passes},p=${parallelism}`)

  it('are none that argon2 does not have (RFC 9106 §3.1)', () => {
    const least = hashSync(password, { memoryCost: 8, timeCost: 1, parallelism: 1 })
    assert.equal(verify(password, least), true)
    const impossible = [
      withParameters(7, 1, 1),
      withParameters(15, 1, 2),
      withParameters(19_456, 0, 1),
      withParameters(19_456, 1, 0),
    ]
    for (const value of impossible) assert.throws(() => verify(password, value), /no argon2id/, value)
  })

  it('are at most 1 GiB and 64 passes', () => {
    // What can be read and is more than today's is not outdated; what cannot be read is.
    assert.equal(isOutdated(withParameters(1_048_576, 64, 1)), false)
    assert.equal(isOutdated(withParameters(1_048_577, 64, 1)), true)
    assert.equal(isOutdated(withParameters(1_048_576, 65, 1)), true)
  })
})

describe('isOutdated', () => {
  it('is said of a hash with less memory or fewer passes, and of no stronger one', () => {
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
  it('is verified like a hash of today, and belongs to no password', () => {
    assert.equal(isOutdated(createDecoy()), false)
    assert.equal(verify(password, createDecoy()), false)
  })
})

describe('deriveWithNode', () => {
  it('derives the same bytes as the prebuilt library', () => {
    const salt = Buffer.from('0123456789abcdef')
    const { memory, passes, parallelism } = parameters
    const expected = hashRawSync(password, { salt, outputLen: 32, memoryCost: memory, timeCost: passes, parallelism })
    assert.deepEqual(Buffer.from(deriveWithNode(password, salt, 32, parameters)), expected)
  })
})
