import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { emptyAnswer, jsonAnswer } from './answers.ts'

describe('jsonAnswer', () => {
  it('jsonAnswer forbids caching unless the given headers allow it', () => {
    const answer = jsonAnswer(200, { a: 1 })
    assert.deepEqual(answer.headers, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
    })
    assert.equal(answer.body, '{"a":1}')
    assert.equal(
      jsonAnswer(200, 1, { 'cache-control': 'public' }).headers['cache-control'],
      'public',
    )
  })
})

describe('emptyAnswer', () => {
  it('emptyAnswer has no body and forbids caching', () => {
    assert.deepEqual(emptyAnswer, { status: 204, headers: { 'cache-control': 'no-store' } })
  })
})
