import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError } from 'keystile/internal'
import { findUngranted, grantScopes, heldScopes, readRequestedScopes, type ScopeRules } from './scopes.ts'

const rules: ScopeRules = {
  declared: { a: 'A', b: 'B', c: 'C', d: 'D' },
  defaults: ['b'],
  roles: { reader: ['c'], odd: ['gone'] },
}

describe('readRequestedScopes', () => {
  it('reads names with a space between them, and nothing at all as no request', () => {
    assert.deepEqual(readRequestedScopes('c a', rules), ['c', 'a'])
    for (const scope of [undefined, '', ' ']) assert.equal(readRequestedScopes(scope, rules), undefined)
  })

  it('refuses what is not declared, be it inherited by every object, and what is no scope (RFC 6749 §5.2)', () => {
    for (const scope of ['x', 'a x', 'toString', '__proto__', 'a"b', 'a\tb'])
      assert.throws(
        () => readRequestedScopes(scope, rules),
        (error) => error instanceof OAuthError && error.code === 'invalid_scope',
        scope,
      )
    assert.throws(() => readRequestedScopes('a\tb', rules), /with a space between them/)
    assert.throws(() => readRequestedScopes('x', rules), /declared are: a b c d/)
  })
})

describe('heldScopes', () => {
  it('is the defaults, their own and those of their roles, in the order of declaration', () => {
    assert.deepEqual(heldScopes({ scopes: ['d'], roles: ['reader'] }, rules), ['b', 'c', 'd'])
    assert.deepEqual(heldScopes({ scopes: [], roles: [] }, rules), ['b'])
  })

  it('leaves out what is declared no more, and a role that there is not', () => {
    assert.deepEqual(heldScopes({ scopes: ['gone'], roles: ['odd', 'nobody', 'toString'] }, rules), ['b'])
  })
})

describe('grantScopes', () => {
  it('gives what is both asked for and held; all that is held where nothing is asked for', () => {
    assert.deepEqual(grantScopes(['c', 'a'], ['a', 'b'], 'all'), ['a'])
    assert.deepEqual(grantScopes(undefined, ['a', 'b'], 'all'), ['a', 'b'])
    assert.deepEqual(grantScopes(['c'], ['a', 'b'], 'all'), [])
  })

  it('gives no more than the client may have', () => {
    assert.deepEqual(grantScopes(undefined, ['a', 'b'], ['b', 'c']), ['b'])
    assert.deepEqual(grantScopes(['a', 'b'], ['a', 'b'], ['b']), ['b'])
    assert.deepEqual(grantScopes(['a'], ['a', 'b'], []), [])
  })
})

describe('findUngranted', () => {
  it('names what a change would give and its maker lacks', () => {
    assert.deepEqual(findUngranted(['a'], ['a', 'b', 'c'], ['b']), ['c'])
    assert.deepEqual(findUngranted(['a', 'b'], ['a'], []), [])
  })
})
