import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const source = join(import.meta.dirname, '../../..')
const files = globSync('**/*.ts', { cwd: source }).filter((file) => !file.endsWith('.test.ts'))

/** Returns the files with a match, and what the first group matched in each. */
function findAll(pattern: RegExp): readonly (readonly [string, string])[] {
  return files.flatMap((file) =>
    Array.from(
      readFileSync(join(source, file), 'utf8').matchAll(pattern),
      ([, found = '']) => [file, found] as const,
    ),
  )
}

describe('statements that write users', () => {
  it('only updateUser() changes a user row; every other UPDATE just locks the row', () => {
    const updates = findAll(/updateTable\('user'\)\s*\.set\((.{0,70})/gs)
    assert.equal(updates.length, findAll(/updateTable\(\s*'user'/g).length)
    assert.ok(updates.length > 1)
    const changing = updates.filter(
      ([, set]) => !/^\(row\) => \(\{ (\w+): row\.ref\('\1'\)/.test(set),
    )
    assert.deepEqual(
      changing.map(([file]) => file),
      ['features/users/accounts/update-user-in-transaction.ts'],
    )
  })

  it("only accounts/new-account-in-transaction.ts calls insertInto('user') or deleteFrom('user')", () => {
    const place = ['features/users/accounts/new-account-in-transaction.ts', '']
    assert.deepEqual(findAll(/insertInto\(\s*'user'/g), [place])
    assert.deepEqual(findAll(/deleteFrom\(\s*'user'/g), [place])
  })

  it('outside the migrations, no raw SQL statement inserts, updates or deletes a user', () => {
    const inMigrations = /^storage\/migrations\//
    const found = findAll(/\b(?:update|insert\s+into|delete\s+from|merge\s+into)\s+["`]?user\b/gi)
    assert.deepEqual(
      found.filter(([file]) => !inMigrations.test(file)),
      [],
    )
  })
})
