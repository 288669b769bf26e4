import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { demands } from './marks-in-transaction.ts'
import { methods } from './methods.ts'

describe('the methods of a login', () => {
  it('the transaction looks for each method that demands a second step', () => {
    const demanded = methods.filter(({ secondStep }) => secondStep?.isDemanded)
    assert.deepEqual(demanded.map(({ name }) => name).toSorted(), Object.keys(demands).toSorted())
  })
})
