import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRefusedKeys } from './refused-keys.ts'

describe('createRefusedKeys', () => {
  it('has what was refused when it was last asked for', () => {
    const keys = createRefusedKeys()
    keys.remember(['a', 'b'], true)
    keys.remember(['b', 'c'], false)
    assert.deepEqual(['a', 'b', 'c'].map(keys.has), [true, false, false])
    keys.remember(['b'], true)
    assert.deepEqual(['a', 'b'].map(keys.has), [true, true])
  })

  it('has the last 10,000', () => {
    const keys = createRefusedKeys()
    for (let n = 0; n < 10_000; n++) keys.remember([String(n)], true)
    keys.remember(['0'], true)
    assert.ok(keys.has('1'))
    keys.remember(['a', 'b'], true)
    assert.deepEqual(['0', '1', '2', '3', 'a', 'b'].map(keys.has), [true, false, false, true, true, true])
  })
})
