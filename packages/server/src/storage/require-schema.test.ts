import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { schemaNumber } from './migrations.ts'
import { requireMigrated, requireNotExcluded } from './require-schema.ts'
import { emptyFacts } from './schema-state.ts'

describe('requireNotExcluded', () => {
  it('requireNotExcluded throws NewerSchemaError only if the database needs a newer release', () => {
    requireNotExcluded({ oldest: schemaNumber(), release: '0.2.0' })
    assert.throws(() => requireNotExcluded({ oldest: schemaNumber() + 1, release: '9.0.0' }), {
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
