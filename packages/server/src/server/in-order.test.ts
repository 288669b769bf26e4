import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inOrder } from './in-order.ts'

describe('inOrder', () => {
  it('puts what is named in that order, and the others after it, as they come', () => {
    const items = ['z', 'b', 'y', 'a', 'b'].map((key, place) => ({ key, place }))
    const sorted = inOrder(items, ['a', 'b', 'absent'], ({ key }) => key)
    assert.deepEqual(
      sorted.map(({ key, place }) => `${key}${place}`),
      ['a3', 'b1', 'b4', 'z0', 'y2'],
    )
  })
})
