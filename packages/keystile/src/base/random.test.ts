import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseBase64url } from './bytes.ts'
import { lowestRowId, randomId, randomRowId } from './random.ts'

describe('randomId', () => {
  it('randomId returns 128 random bits as 22 characters of base64url', () => {
    const ids = Array.from({ length: 1_000 }, () => randomId())
    for (const id of ids) assert.equal(parseBase64url(id)?.length, 16)
    assert.equal(new Set(ids).size, 1_000)
  })

  it('each of the 128 bits of randomId is sometimes 0 and sometimes 1', () => {
    const [ones, zeros] = [Buffer.alloc(16), Buffer.alloc(16, 0xff)]
    for (let i = 0; i < 200; i++) {
      for (const [at, byte] of (parseBase64url(randomId()) ?? Buffer.alloc(0)).entries()) {
        ones[at]! |= byte
        zeros[at]! &= byte
      }
    }
    assert.deepEqual(ones, Buffer.alloc(16, 0xff))
    assert.deepEqual(zeros, Buffer.alloc(16))
  })
})

describe('randomRowId', () => {
  it('randomRowId returns a UUID of version 7 with the variant of RFC 9562 §4.1', () => {
    for (let i = 0; i < 500; i++) {
      assert.match(
        randomRowId(1_800_000_000_000 + i),
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      )
    }
  })

  it('randomRowId begins with the time in milliseconds, as 48 bits (RFC 9562 §5.7)', () => {
    for (const now of [0, 1, 1_800_000_000_123, 2 ** 48 - 1]) {
      assert.equal(Number.parseInt(randomRowId(now).replaceAll('-', '').slice(0, 12), 16), now)
    }
  })

  it('sorting row ids as text puts the ids in order of time', () => {
    const times = [
      0,
      255,
      256,
      65_536,
      1_799_999_999_999,
      1_800_000_000_000,
      1_800_000_000_001,
      2 ** 47,
    ]
    const ids = times.map((now) => randomRowId(now))
    assert.deepEqual(ids.toSorted(), ids)
  })

  it('randomRowId contains 74 random bits after the time', () => {
    const ids = Array.from({ length: 1_000 }, () => randomRowId(1_800_000_000_000))
    assert.equal(new Set(ids.map((id) => id.slice(-12))).size, 1_000)
    assert.ok(new Set(ids.map((id) => id.slice(15, 18))).size > 500)
    assert.ok(new Set(ids.map((id) => id.slice(19, 23))).size > 500)
  })
})

describe('lowestRowId', () => {
  it('lowestRowId returns the smallest possible row id of a millisecond', () => {
    for (const now of [256, 1_800_000_000_000]) {
      assert.equal(lowestRowId(now).length, randomRowId(now).length)
      for (let i = 0; i < 500; i++) assert.ok(randomRowId(now - 1) < lowestRowId(now))
      for (let i = 0; i < 500; i++) assert.ok(lowestRowId(now) < randomRowId(now))
    }
    assert.equal(lowestRowId(1), '00000000-0001-7000-8000-000000000000')
  })
})
