import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  defaultTimes,
  findCurrent,
  listNext,
  plan,
  stateOf,
  type RotationTimes,
  type Wanted,
} from './plan.ts'
import type { SigningTimes } from './tables.ts'

const times: RotationTimes = { lead: 10, period: 100, margin: 3 }
const wanted: Wanted = { algorithm: 'ES256', longestTokenSeconds: 0.02 } // 20 units of time

function key(id: string, signs_from: number, signs_until: number | null = null): SigningTimes {
  return { id, algorithm: 'ES256', published_at: signs_from - 10, signs_from, signs_until }
}

describe('plan', () => {
  it('in defaultTimes, `lead` is one hour, `period` is 30 days and `margin` is 70 s', () => {
    const hour = 3_600_000
    assert.deepEqual(defaultTimes, { lead: hour, period: 720 * hour, margin: 70_000 })
  })

  it('if there is no signing key, plan() makes a key that signs immediately', () => {
    assert.deepEqual(plan([], 50, wanted, times), { newSignsFrom: 50, gone: [] })
  })

  it('if no key may sign any more, plan() makes a key that signs immediately', () => {
    assert.deepEqual(plan([key('a', 0, 40)], 50, wanted, times), { newSignsFrom: 50, gone: [] })
  })

  it('plan() makes the next key when at most `lead` is left of the current key’s `period`', () => {
    const at = (now: number): number | undefined =>
      plan([key('a', 0)], now, wanted, times).newSignsFrom
    assert.deepEqual([at(89), at(90), at(91)], [undefined, 100, 101])
  })

  it('if the current key is long overdue, plan() makes a next key that signs after `lead`', () => {
    assert.equal(plan([key('a', 0)], 100_000, wanted, times).newSignsFrom, 100_010)
  })

  it('while there is a next key, plan() makes no other key, even with `isForced`', () => {
    const keys = [key('a', 0, 60), key('b', 60)]
    for (const now of [50, 59])
      for (const isForced of [false, true])
        for (const algorithm of ['ES256', 'RS256'])
          assert.equal(
            plan(keys, now, { ...wanted, algorithm, isForced }, times).newSignsFrom,
            undefined,
          )
  })

  it('if the algorithm changes, or with `isForced`, plan() makes the next key at once', () => {
    for (const change of [{ algorithm: 'EdDSA' }, { isForced: true }])
      assert.equal(plan([key('a', 0)], 5, { ...wanted, ...change }, times).newSignsFrom, 15)
  })

  it('plan() deletes a key when `margin` has passed since the expiry of its last token', () => {
    const gone = (now: number): readonly string[] =>
      plan([key('a', 0, 60), key('b', 60)], now, wanted, times).gone
    assert.deepEqual([gone(82), gone(83)], [[], ['a']])
  })

  it('plan() never deletes the key that signs', () => {
    assert.deepEqual(plan([key('a', 0)], 1e9, wanted, times).gone, [])
  })
})

describe('findCurrent', () => {
  it('findCurrent returns a key from the time it may sign until the next key may sign', () => {
    const keys = [key('a', 0, 60), key('b', 60)]
    const at = (now: number): string | undefined => findCurrent(keys, now)?.id
    assert.deepEqual([at(0), at(59), at(60), at(1000)], ['a', 'a', 'b', 'b'])
  })

  it('a key without a successor signs until its `signs_until`', () => {
    const at = (now: number): string | undefined => findCurrent([key('a', 0, 50)], now)?.id
    assert.deepEqual([at(49), at(50)], ['a', undefined])
  })

  it('of several keys that may sign, findCurrent returns the key that began to sign last', () => {
    for (const keys of [
      [key('a', 0), key('b', 60)],
      [key('b', 60), key('a', 0)],
    ])
      assert.equal(findCurrent(keys, 70)?.id, 'b')
  })

  it('if no key may sign yet, findCurrent returns the key that will begin to sign first', () => {
    assert.equal(findCurrent([key('c', 9), key('b', 7)], 5)?.id, 'b')
    assert.equal(findCurrent([key('b', 7), key('c', 9)], 5)?.id, 'b')
    assert.equal(findCurrent([], 5), undefined)
  })

  it('stateOf says whether a key is the next, the current or a previous key', () => {
    const keys = [key('a', 0, 60), key('b', 60, 90), key('c', 90)]
    assert.deepEqual(
      keys.map((one) => stateOf(one, keys, 70)),
      ['previous', 'current', 'next'],
    )
    assert.deepEqual([listNext(keys, 89).length, listNext(keys, 90).length], [1, 0])
  })
})

// Lives of keys: at random times a process looks, and does what is due. Between two looks, all
// processes may be off for any time.
describe('random sequences of rotations', () => {
  const looks = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 60 })
  const numRuns = process.env['KEYSTILE_LONG'] ? 20_000 : 500

  it('in random rotations, one published key signs, and each key outlives its tokens', () => {
    fc.assert(
      fc.property(looks, (pauses) => {
        let keys: SigningTimes[] = []
        let now = 0
        for (const pause of pauses) {
          const signing = new Set<string>()
          for (const end = now + pause; now < end; now++) {
            const current = findCurrent(keys, now)
            if (!current) continue
            signing.add(current.id)
            assert.ok(current.signs_until === null || now < current.signs_until)
            const isFirst = current.published_at === current.signs_from
            assert.ok(isFirst || now >= current.published_at + times.lead, 'published before')
          }
          assert.ok(signing.size <= 2)

          const { newSignsFrom, gone } = plan(keys, now, wanted, times)
          for (const { id, signs_until } of keys)
            if (gone.includes(id)) assert.ok(signs_until !== null && signs_until + 23 <= now)
          keys = keys.filter(({ id }) => !gone.includes(id))
          if (newSignsFrom !== undefined) {
            const current = findCurrent(keys, now)
            keys = keys.map((one) =>
              one.id === current?.id ? { ...one, signs_until: newSignsFrom } : one,
            )
            keys.push({ ...key(`key-${now}`, newSignsFrom), published_at: now })
          }
          assert.ok(findCurrent(keys, now))
          assert.ok(listNext(keys, now).length <= 1 && keys.length <= 3)
        }
      }),
      { numRuns },
    )
  })
})
