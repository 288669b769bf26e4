import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isReplyTo } from './hash-pool.ts'

describe('isReplyTo', () => {
  it('isReplyTo accepts only a result or an error with the id of the running job', () => {
    assert.equal(isReplyTo(2, { id: 2, result: false }), true)
    assert.equal(isReplyTo(2, { id: 2, error: 'no memory' }), true)
    const others = [undefined, null, 'text', {}, { id: 2 }, { result: true }]
    for (const message of [...others, { id: 1, result: true }, { id: '2', result: true }])
      assert.equal(isReplyTo(2, message), false, JSON.stringify(message))
  })
})
