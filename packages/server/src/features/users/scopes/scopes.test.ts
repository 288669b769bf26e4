import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError } from 'keystile/internal'
import {
  changeRights,
  givesRights,
  grantScopes,
  heldScopes,
  mayGive,
  namesOfRights,
  readRequestedScopes,
  scopeRulesOf,
  type ScopeRules,
} from './scopes.ts'

const rules: ScopeRules = {
  declared: { a: 'A', b: 'B', c: 'C', d: 'D' },
  defaults: ['b'],
  roles: { reader: ['c'], odd: ['gone'] },
}

describe('scopeRulesOf', () => {
  it('scopeRulesOf adds the built-in scopes, and the role `admin` with all scopes', () => {
    const { declared, defaults, roles } = scopeRulesOf({
      scopes: { a: 'A' },
      roles: { r: ['a'] },
      defaultScopes: ['a'],
    })
    assert.deepEqual(Object.keys(declared), ['a', 'users:read', 'users:write'])
    assert.deepEqual(defaults, ['a'])
    assert.deepEqual(roles, { r: ['a'], admin: ['a', 'users:read', 'users:write'] })
  })
})

describe('readRequestedScopes', () => {
  it('readRequestedScopes splits the text at spaces, and returns undefined for ""', () => {
    assert.deepEqual(readRequestedScopes('c a', rules), ['c', 'a'])
    for (const scope of [undefined, '', ' '])
      assert.equal(readRequestedScopes(scope, rules), undefined)
  })

  it('readRequestedScopes refuses undeclared and malformed scopes (RFC 6749 §5.2)', () => {
    for (const scope of ['x', 'a x', 'toString', '__proto__', 'a"b', 'a\tb'])
      assert.throws(
        () => readRequestedScopes(scope, rules),
        (error) => error instanceof OAuthError && error.code === 'invalid_scope',
        scope,
      )
    assert.throws(() => readRequestedScopes('a\tb', rules), /separated by spaces/)
    assert.throws(() => readRequestedScopes('x', rules), /declared scopes are: a b c d/)
  })
})

describe('heldScopes', () => {
  it('heldScopes combines the default scopes, the user’s scopes and the roles’ scopes', () => {
    assert.deepEqual(heldScopes({ scopes: ['d'], roles: ['reader'] }, rules), ['b', 'c', 'd'])
    assert.deepEqual(heldScopes({ scopes: [], roles: [] }, rules), ['b'])
  })

  it('heldScopes omits scopes and roles that are no longer declared', () => {
    assert.deepEqual(
      heldScopes({ scopes: ['gone'], roles: ['odd', 'nobody', 'toString'] }, rules),
      ['b'],
    )
  })
})

describe('grantScopes', () => {
  it('grantScopes returns the user’s scopes that a request names, or all if it names none', () => {
    assert.deepEqual(grantScopes(['c', 'a'], ['a', 'b'], 'all'), ['a'])
    assert.deepEqual(grantScopes(undefined, ['a', 'b'], 'all'), ['a', 'b'])
    assert.deepEqual(grantScopes(['c'], ['a', 'b'], 'all'), [])
  })

  it('grantScopes returns only scopes that the client may have', () => {
    assert.deepEqual(grantScopes(undefined, ['a', 'b'], ['b', 'c']), ['b'])
    assert.deepEqual(grantScopes(['a', 'b'], ['a', 'b'], ['b']), ['b'])
    assert.deepEqual(grantScopes(['a'], ['a', 'b'], []), [])
  })
})

describe('namesOfRights', () => {
  it('namesOfRights lists roles with the prefix `role:`, and then scopes', () =>
    assert.deepEqual(namesOfRights({ scopes: ['a', 'b'], roles: ['reader'] }), [
      'role:reader',
      'a',
      'b',
    ]))
})

describe('changeRights', () => {
  const user = { scopes: ['a', 'b'], roles: ['reader'] }

  it('changeRights adds and removes names; a name both added and removed is removed', () => {
    const change = { scopes: ['a', 'c', 'd'], removeScopes: ['b', 'd'] }
    assert.deepEqual(changeRights(user, change), { scopes: ['a', 'c'], roles: ['reader'] })
    const other = { roles: ['odd'], removeRoles: ['reader'] }
    assert.deepEqual(changeRights(user, other), { scopes: ['a', 'b'], roles: ['odd'] })
  })

  it('changeRights without names changes nothing', () =>
    assert.deepEqual(changeRights(user, {}), user))
})

describe('givesRights', () => {
  const before = { scopes: ['a'], roles: ['reader'], active: true }

  it('givesRights is true if a change adds a scope or role, or enables the user', () => {
    assert.equal(givesRights(before, { ...before, scopes: ['a', 'b'] }), true)
    assert.equal(givesRights(before, { ...before, scopes: ['b'] }), true)
    assert.equal(givesRights(before, { ...before, roles: ['reader', 'odd'] }), true)
    assert.equal(givesRights({ ...before, active: false }, before), true)
  })

  it('givesRights is false if a change only removes rights or changes nothing', () => {
    for (const after of [before, { scopes: [], roles: [], active: false }])
      assert.equal(givesRights(before, after), false)
    const disabled = { ...before, active: false }
    assert.equal(givesRights(disabled, disabled), false)
  })
})

describe('mayGive', () => {
  const caller = { scopes: ['a'], roles: ['reader'], tokenScopes: ['a', 'b', 'c', 'd'] }

  it('mayGive is true only if the caller holds all scopes that the user would have', () => {
    assert.equal(mayGive({ scopes: ['a', 'c'], roles: [] }, caller, rules), true)
    assert.equal(mayGive({ scopes: [], roles: ['reader'] }, caller, rules), true)
    assert.equal(mayGive({ scopes: ['a', 'd'], roles: [] }, caller, rules), false)
  })

  it('mayGive checks the stored rights of the caller and the scopes of the token', () => {
    assert.equal(
      mayGive({ scopes: ['a'], roles: [] }, { ...caller, tokenScopes: ['b', 'c'] }, rules),
      false,
    )
    assert.equal(mayGive({ scopes: ['a'], roles: [] }, { ...caller, scopes: [] }, rules), false)
  })

  it('mayGive is true only if the caller has all roles that the user would have', () => {
    const same = { scopes: ['c'], roles: ['odd'], tokenScopes: ['b', 'c'] }
    assert.equal(mayGive({ scopes: [], roles: ['reader'] }, same, rules), false)
    assert.equal(mayGive({ scopes: [], roles: ['odd', 'odd'] }, caller, rules), false)
    assert.equal(mayGive({ scopes: [], roles: ['odd'] }, same, rules), true)
    const administrator = { ...same, roles: ['admin'] }
    assert.equal(mayGive({ scopes: [], roles: ['odd'] }, administrator, rules), true)
  })

  it('mayGive allows only an administrator to give the role admin', () => {
    const withAdmin = { ...rules, roles: { admin: ['a', 'b', 'c'] } }
    const all = { scopes: ['a', 'b', 'c'], roles: [], tokenScopes: ['a', 'b', 'c'] }
    const administrator = { scopes: [], roles: ['admin'] }
    assert.equal(mayGive(administrator, all, withAdmin), false)
    assert.equal(mayGive(administrator, { ...all, ...administrator }, withAdmin), true)
  })
})
