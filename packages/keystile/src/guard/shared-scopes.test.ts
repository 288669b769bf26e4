import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSharedScopes } from './shared-scopes.ts'

describe('createSharedScopes()', () => {
  it('createSharedScopes returns the same frozen list for equal lists', () => {
    const share = createSharedScopes()
    const first = share(['a', 'b'])
    assert.deepEqual(first, ['a', 'b'])
    assert.ok(Object.isFrozen(first))
    assert.equal(share(['a', 'b']), first)
    assert.notEqual(createSharedScopes()(['a', 'b']), first)
  })

  it('createSharedScopes returns different lists for different scopes', () => {
    const share = createSharedScopes()
    const lists = [[], [''], ['a'], ['a', 'b'], ['b', 'a'], ['a b'], ['a,b'], ['a","b'], ['a', '']]
    for (const list of lists) assert.deepEqual(share(list), list)
    for (const list of lists) assert.deepEqual(share(list), list)
  })

  it('createSharedScopes holds 1,000 lists; the next new list evicts all of them', () => {
    const share = createSharedScopes()
    const first = share(['0'])
    for (let n = 1; n < 1_000; n++) share([String(n)])
    assert.equal(share(['0']), first)
    share(['one more'])
    assert.notEqual(share(['0']), first)
    assert.deepEqual(share(['0']), ['0'])
  })
})
