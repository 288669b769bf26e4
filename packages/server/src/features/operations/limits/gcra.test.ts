import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { advance, earlinessOf, type Rate } from './gcra.ts'

/** Creates a token bucket for the same limit. It gains one token in each interval. */
function createBucket({ burst, intervalMilliseconds }: Rate): (now: number) => boolean {
  let spent = 0
  let at = 0
  return (now) => {
    spent = Math.max(0, spent - (now - at))
    at = now
    if (spent + intervalMilliseconds > burst * intervalMilliseconds) return false
    spent += intervalMilliseconds
    return true
  }
}

describe('GCRA', () => {
  it('the rate limit algorithm (GCRA) allows the same requests as a token bucket', () => {
    const rate = fc.record({
      burst: fc.integer({ min: 1, max: 20 }),
      intervalMilliseconds: fc.integer({ min: 1, max: 500 }),
    })
    fc.assert(
      fc.property(
        rate,
        fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 100 }),
        (limit, pauses) => {
          const bucket = createBucket(limit)
          let tat: number | undefined
          let now = 0
          for (const pause of pauses) {
            now += pause
            const next = advance(tat, limit, now)
            const isAllowed = earlinessOf(next, limit, now) === 0
            assert.equal(isAllowed, bucket(now))
            if (isAllowed) tat = next
          }
        },
      ),
    )
  })

  it('earlinessOf returns the milliseconds until the next use is allowed', () => {
    const rate = { burst: 3, intervalMilliseconds: 100 }
    const wait = earlinessOf(advance(1_250, rate, 1_000), rate, 1_000)
    assert.equal(wait, 50)
    assert.equal(earlinessOf(advance(1_250, rate, 1_050), rate, 1_050), 0)
    assert.equal(earlinessOf(advance(1_250, rate, 1_049), rate, 1_049), 1)
  })
})
