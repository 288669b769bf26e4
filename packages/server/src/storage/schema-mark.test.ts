import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { schemaNumber } from './migrate.ts'
import { emptyFacts } from './standing.ts'
import { requireMigrated, requireOldSchema } from './schema-mark.ts'

describe('requireOldSchema', () => {
  it('requireOldSchema throws NewerSchemaError only if the database needs a newer release', () => {
    requireOldSchema({ oldest: schemaNumber(), release: '0.2.0' })
    assert.throws(() => requireOldSchema({ oldest: schemaNumber() + 1, release: '9.0.0' }), {
      name: 'NewerSchemaError',
      message:
        /^the database must not be newer .*\. Fix: install @keystile\/server 9\.0\.0 or newer$/,
    })
  })
})

describe('requireMigrated', () => {
  it('requireMigrated throws if a migration is missing', () => {
    requireMigrated({ ...emptyFacts, missing: [], isEmpty: false })
    assert.throws(() => requireMigrated({ ...emptyFacts, isEmpty: false }), {
      name: 'ConfigurationError',
      message:
        /^the database must be upgraded .* 0001-first, 0002-refresh.*\. Fix: run "keystile migrate"/,
    })
  })
})
