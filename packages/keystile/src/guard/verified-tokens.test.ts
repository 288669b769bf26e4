import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createVerifiedTokens } from './verified-tokens.ts'

describe('createVerifiedTokens', () => {
  it('createVerifiedTokens compares the whole text of tokens (CVE-2026-35039)', () => {
    const tokens = createVerifiedTokens<string>()
    const long = 'x'.repeat(8_000)
    tokens.remember(`${long}a`, 'alice')
    assert.equal(tokens.find(`${long}a`), 'alice')
    for (const other of [`${long}b`, `y${long.slice(1)}a`, long, `${long}a `, `${long}A`]) {
      assert.equal(tokens.find(other), undefined)
    }
  })

  for (const name of ['__proto__', 'constructor', 'toString', '']) {
    it(`a new createVerifiedTokens() finds no entry for ${JSON.stringify(name)}`, () => {
      assert.equal(createVerifiedTokens<string>().find(name), undefined)
    })
  }

  for (const [size, given] of [
    [10, 10],
    [5_000, undefined],
  ] as const) {
    it(`createVerifiedTokens holds ${2 * size} tokens; another token evicts the older half`, () => {
      const tokens = createVerifiedTokens<number>(given)
      const last = 2 * size
      for (let i = 0; i <= last; i++) tokens.remember(`t${i}`, i)
      assert.equal(tokens.find(`t${size - 1}`), undefined)
      assert.equal(tokens.find('t0'), undefined)
      assert.equal(tokens.find(`t${size}`), size)
      assert.equal(tokens.find(`t${last}`), last)
    })
  }

  it('createVerifiedTokens holds 8,388,608 characters; another token evicts the older half', () => {
    const tokens = createVerifiedTokens<number>()
    const long = (n: number): string => `${n}`.padEnd(16_384, '.')
    for (let n = 0; n < 512; n++) tokens.remember(long(n), n) // 256 a generation
    assert.equal(tokens.find(long(0)), 0)
    tokens.remember(long(512), 512)
    assert.equal(tokens.find(long(1)), undefined)
    assert.equal(tokens.find(long(256)), 256)
  })

  it('createVerifiedTokens evicts unused tokens and keeps tokens in use', () => {
    const tokens = createVerifiedTokens<number>(10)
    tokens.remember('used', 1)
    for (let i = 0; i < 1_000; i++) {
      tokens.remember(`t${i}`, i)
      assert.equal(tokens.find('used'), 1, `evicted after ${i}`)
    }
  })

  it('createVerifiedTokens evicts no token when an unknown token is looked up', () => {
    const tokens = createVerifiedTokens<number>(10)
    tokens.remember('known', 1)
    for (let i = 0; i < 1_000; i++) assert.equal(tokens.find(`unknown${i}`), undefined)
    assert.equal(tokens.find('known'), 1)
  })

  it('forget() of createVerifiedTokens removes a token from the young and old generations', () => {
    const tokens = createVerifiedTokens<number>(2)
    tokens.remember('a', 1)
    tokens.remember('b', 2)
    tokens.remember('c', 3) // a and b are now old
    assert.equal(tokens.find('a'), 1) // a is young too
    tokens.forget('a')
    tokens.forget('b')
    assert.deepEqual(
      [tokens.find('a'), tokens.find('b'), tokens.find('c')],
      [undefined, undefined, 3],
    )
  })

  it('createVerifiedTokens keeps the last value that was stored for a token', () => {
    const tokens = createVerifiedTokens<number>(2)
    tokens.remember('a', 1)
    tokens.remember('a', 2)
    tokens.remember('b', 0)
    tokens.remember('a', 3)
    assert.equal(tokens.find('a'), 3)
  })
})
