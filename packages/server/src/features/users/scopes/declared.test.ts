import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { inTables, type Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { hasAppUsers, readScopeRules, saveDeclared } from './declared.ts'
import { builtInScopes, scopeRulesOf } from './scopes.ts'
import type { ScopeTables } from './tables.ts'

describe('the scopes and roles that an app declares', () => {
  let database: Database
  beforeEach(async () => {
    const thread = new URL('../../../server/writer-thread.ts', import.meta.url)
    database = await openDatabase(':memory:', thread)
  })
  afterEach(() => database.close())

  const own = { scopes: { b: 'other', c: 'C' }, roles: { r: ['c'] }, defaultScopes: ['c'] }

  it('readScopeRules adds the stored scopes and roles; those of the settings win', async () => {
    assert.deepEqual(await readScopeRules(database, own), scopeRulesOf(own))
    await saveDeclared(database, { scopes: { old: 'Old' }, roles: { old: ['old'] } })
    await saveDeclared(database, { scopes: { a: 'A', b: 'B' }, roles: { r: ['a'], s: ['b'] } })
    assert.deepEqual(await readScopeRules(database, own), {
      declared: { a: 'A', b: 'other', c: 'C', ...builtInScopes },
      defaults: ['c'],
      roles: { r: ['c'], s: ['b'], admin: ['a', 'b', 'c', 'users:read', 'users:write'] },
    })
  })

  it('hasAppUsers returns whether the app that last started stores the users itself', async () => {
    assert.equal(await hasAppUsers(database), false)
    await saveDeclared(database, { scopes: {}, roles: {}, users: {} })
    assert.equal(await hasAppUsers(database), true)
    await saveDeclared(database, { scopes: {}, roles: {} })
    assert.equal(await hasAppUsers(database), false)
  })

  it('saveDeclared stores JSON, and writes only if the declaration has changed', async () => {
    const written: unknown[] = []
    const { reader } = database
    const write: Database['write'] = (command, value) => {
      written.push(value)
      return database.write(command, value)
    }
    for (const scopes of [{ a: 'A' }, { a: 'A' }, { b: 'B' }])
      await saveDeclared({ reader, write }, { scopes, roles: {} })
    const [first, last] = ['{"scopes":{"a":"A"},"roles":{}}', '{"scopes":{"b":"B"},"roles":{}}']
    assert.deepEqual(written, [first, last])
    const rows = inTables<ScopeTables>(reader).selectFrom('setting').selectAll()
    const [row] = await rows.where('name', '=', 'declared').execute()
    assert.equal(row?.value, last)
  })
})
