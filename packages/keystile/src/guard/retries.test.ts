import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createRetries } from './retries.ts'

/** Lets time stand still, and lets chance be a fixed number from 0 to 1. */
function fix(t: TestContext, chance: number): { advance(milliseconds: number): void } {
  let now = 5_000
  t.mock.method(performance, 'now', () => now)
  t.mock.method(Math, 'random', () => chance)
  return {
    advance(milliseconds) {
      now += milliseconds
    },
  }
}

describe('createRetries', () => {
  it('createRetries allows the first connection at once', (t) => {
    fix(t, 1)
    const retries = createRetries()
    assert.equal(retries.isDue(), true)
    assert.equal(retries.secondsToNext(), 1)
  })

  it('the longest possible pauses between retries grow from one second to ten seconds', (t) => {
    const time = fix(t, 1)
    const retries = createRetries()
    const pauses = Array.from({ length: 8 }, () => {
      retries.start()
      time.advance(1_000)
      return retries.pause()
    })
    assert.deepEqual(pauses, [1_000, 1_000, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  })

  it('retries start at least a second apart, even with the shortest random pause', (t) => {
    const time = fix(t, 0)
    const retries = createRetries()
    retries.start()
    time.advance(10)
    assert.equal(retries.pause(), 990)
    assert.equal(retries.isDue(), false)
    time.advance(989)
    assert.equal(retries.isDue(), false)
    time.advance(1)
    assert.equal(retries.isDue(), true)
  })

  it('a retry can start at once if the last connection lasted longer than a second', (t) => {
    const time = fix(t, 0)
    const retries = createRetries()
    retries.start()
    time.advance(60_000)
    assert.equal(retries.pause(), 0)
    assert.equal(retries.isDue(), true)
  })

  it('the pause before a retry is a random part of the longest possible pause', (t) => {
    const time = fix(t, 0.25)
    const retries = createRetries()
    retries.start()
    time.advance(1_000)
    assert.equal(retries.pause(), 250)
  })

  it('after reset(), the pauses between retries are short again', (t) => {
    const time = fix(t, 1)
    const retries = createRetries()
    for (let n = 0; n < 8; n++) retries.pause()
    assert.equal(retries.secondsToNext(), 10)
    retries.reset()
    time.advance(60_000)
    assert.equal(retries.pause(), 1_000)
    assert.equal(retries.secondsToNext(), 1)
  })
})
