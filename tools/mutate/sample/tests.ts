// The tests of code.ts. Not a `.test.ts`: only server-rooms.test.ts runs them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { beforeEach, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { isWithin, larger, unit } from './code.ts'

describe('sample', () => {
  let limit = 0
  beforeEach(() => {
    limit = 3
  })

  it('compares', () => {
    assert.deepEqual([isWithin(3, limit), isWithin(4, limit)], [true, false])
    assert.deepEqual([larger(1, 2), larger(2, 1), larger(2, 2)], [2, 2, 2])
  })

  it('knows the unit', () => assert.equal(unit, 'ms'))

  it('adds in a thread', async () => {
    const thread = new Worker(new URL('./code.ts', import.meta.url), { workerData: [1, 2] })
    assert.deepEqual(await once(thread, 'message'), [3])
  })
})
