import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import {
  hasCome,
  isSeconds,
  requireClock,
  requireClockForLater,
  systemClock,
  toSeconds,
  type Clock,
} from './clock.ts'

describe('toSeconds', () => {
  it('toSeconds rounds down to whole seconds', () => {
    assert.deepEqual([0, 999, 1_000, 1_999, -1].map(toSeconds), [0, 0, 1, 1, -1])
  })
})

describe('systemClock', () => {
  it('systemClock returns milliseconds since 1970', () => {
    const before = Date.now()
    const now = systemClock.now()
    assert.ok(before <= now && now <= Date.now())
  })
})

describe('requireClock', () => {
  it('requireClock accepts a clock whose now() returns at least 1e11 ms (March 1973)', () => {
    for (const clock of [systemClock, Date, { now: () => 1e11 }])
      assert.equal(requireClock(clock), clock)
  })

  const wrong: Readonly<Record<string, unknown>> = {
    'a clock that counts from the start of the process': performance,
    'a clock of seconds': { now: () => 99_999_999_999 },
    'a clock that returns NaN': { now: () => Number.NaN },
    'a clock that returns infinity': { now: () => Infinity },
    'a clock that returns text': { now: () => '1800000000000' },
    'a clock that returns a bigint': { now: () => 1_800_000_000_000n },
    'a number': 1_800_000_000_000,
    'an object without now()': {},
    undefined: undefined,
    null: null,
  }
  for (const [name, clock] of Object.entries(wrong)) {
    it(`requireClock refuses ${name}`, () => {
      assert.throws(() => requireClock(clock as Clock), {
        name: 'TypeError',
        message:
          '`clock` must be an object whose now() returns milliseconds since 1970, ' +
          'as Date.now() does',
      })
    })
  }
})

describe('the clock of a Cloudflare Worker while it loads modules: Date.now() is 0', () => {
  const start = (t: TestContext): void => t.mock.timers.enable({ apis: ['Date'], now: 0 })
  const needed = {
    name: 'TypeError',
    message:
      'a Worker cannot read the time while it loads its modules: Date.now() is 0. ' +
      'Fix: sign and verify tokens in a request',
  }

  it('requireClock refuses systemClock while Date.now() is 0', (t) => {
    start(t)
    assert.throws(() => requireClock(systemClock), needed)
    assert.equal(requireClock({ now: () => 1e11 }).now(), 1e11)
  })

  it('while Date.now() is 0, requireClockForLater accepts a clock, but clock.now() throws', (t) => {
    start(t)
    const clock = requireClockForLater(systemClock)
    assert.throws(() => clock.now(), needed)
    t.mock.timers.setTime(1_800_000_000_000)
    assert.equal(clock.now(), 1_800_000_000_000)
  })

  it('requireClockForLater checks a clock at once, or in clock.now() if Date.now() was 0', (t) => {
    assert.throws(() => requireClockForLater(performance), /must be an object whose now/)
    start(t)
    const clock = requireClockForLater({ now: () => 5 })
    t.mock.timers.setTime(1_800_000_000_000)
    assert.throws(() => clock.now(), /must be an object whose now/)
  })
})

describe('isSeconds', () => {
  it('isSeconds is true for seconds, and false for milliseconds and for Infinity or NaN', () => {
    for (const value of [0, -1, 1.5, 99_999_999_999]) assert.equal(isSeconds(value), true)
    for (const value of [1e11, Infinity, -Infinity, Number.NaN, '5', null, undefined, 5n, {}]) {
      assert.equal(isSeconds(value), false)
    }
  })
})

describe('hasCome', () => {
  it('hasCome(instant, since, now) is true if now >= instant, and also if now < since', () => {
    const due = [99, 100, 199, 200, 201].map((now) => hasCome(200, 100, now))
    assert.deepEqual(due, [true, false, false, true, true])
  })
})
