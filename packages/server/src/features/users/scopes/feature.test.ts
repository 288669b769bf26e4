import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { feature } from './feature.ts'

interface Tested {
  readonly default: unknown
  readonly excludedBy?: string
  findFaults(value: unknown, others: object): unknown
}

const settingOf = (name: string): Tested =>
  feature.settings?.find((setting) => setting.name === name) as unknown as Tested

/** Returns the faults of a setting of an app that declares the scope `a`. */
const faultsOf = (name: string, value: unknown, unread: readonly string[] = []): unknown =>
  settingOf(name).findFaults(value, { values: { scopes: { a: 'A' } }, unread: new Set(unread) })

describe('the settings of scopes and roles', () => {
  it('a fault in a setting of scopes names the scope that is wrong', () => {
    assert.deepEqual(faultsOf('scopes', { a: 'A', 'b c': 'B' }), [
      'must have names of visible ASCII characters without space, quote or backslash ' +
        '(RFC 6749 §3.3); it has "b c"',
    ])
    assert.deepEqual(faultsOf('defaultScopes', ['a', 'users:read', 'x']), [
      'must list declared scopes; it has "x", which is not declared in scopes',
    ])
    assert.deepEqual(faultsOf('roles', { r: ['a', 'x'] }), [
      'must list declared scopes; "r" has "x", which is not declared in scopes',
    ])
  })

  it('an app cannot declare the role admin, or roles next to its own users', () => {
    assert.deepEqual(faultsOf('roles', { admin: ['a'] }), [
      'must not have admin: that role is built in and holds all scopes; rename your role',
    ])
    assert.equal(settingOf('roles').excludedBy, 'users')
  })

  it('if the setting `scopes` cannot be read, roles and default scopes are not checked', () => {
    assert.deepEqual(faultsOf('defaultScopes', ['x'], ['scopes']), [])
    assert.deepEqual(faultsOf('roles', { r: ['x'] }, ['scopes']), [])
  })

  it('defaultScopes is empty if it is not set', () =>
    assert.deepEqual(settingOf('defaultScopes').default, []))
})
