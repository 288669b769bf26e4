import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRefusedKeys } from './refused-keys.ts'

describe('createRefusedKeys', () => {
  it('createRefusedKeys remembers each key whose last try was refused', () => {
    const keys = createRefusedKeys()
    keys.remember(['a', 'b', 'c'], ['a', 'b'])
    keys.remember(['b', 'd'], [])
    assert.deepEqual(['a', 'b', 'c', 'd'].map(keys.has), [true, false, false, false])
    keys.remember(['b'], ['b'])
    assert.deepEqual(['a', 'b'].map(keys.has), [true, true])
  })

  it('createRefusedKeys remembers at most 10,000 refused keys', () => {
    const keys = createRefusedKeys()
    const refuse = (...some: readonly string[]): void => keys.remember(some, some)
    for (let n = 0; n < 10_000; n++) refuse(String(n))
    refuse('0')
    assert.ok(keys.has('1'))
    refuse('a', 'b')
    assert.deepEqual(['0', '1', '2', '3', 'a', 'b'].map(keys.has), [
      true,
      false,
      false,
      true,
      true,
      true,
    ])
  })
})
