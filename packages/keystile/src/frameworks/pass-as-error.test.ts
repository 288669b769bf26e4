import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { passAsError } from './pass-as-error.ts'

describe('passAsError', () => {
  it('passAsError passes an Error unchanged, and wraps any other value in an Error', () => {
    const passed: Error[] = []
    const pass = passAsError((error) => void passed.push(error))
    const error = new TypeError('inside')
    for (const thrown of [error, undefined, 'route']) pass(thrown)
    assert.equal(passed[0], error)
    for (const [index, cause] of [undefined, 'route'].entries()) {
      const { message, cause: wrapped } = passed[index + 1]!
      assert.deepEqual([message, wrapped], ['the app threw a value that is not an Error', cause])
    }
  })
})
