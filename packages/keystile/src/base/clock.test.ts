import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock, toSeconds } from './clock.ts'

describe('toSeconds', () => {
  it('toSeconds rounds down to whole seconds', () => {
    assert.deepEqual([0, 999, 1_000, 1_999, -1].map(toSeconds), [0, 0, 1, 1, -1])
  })
})

describe('systemClock', () => {
  it('systemClock tells milliseconds since 1970', () => {
    const before = Date.now()
    const now = systemClock.now()
    assert.ok(before <= now && now <= Date.now())
  })
})
