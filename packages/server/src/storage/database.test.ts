import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DatabaseBusyError, DatabaseUnavailableError, UnknownOutcomeError } from './database.ts'

describe('the errors of the database', () => {
  it('database errors have their own names; isFrequent is true only for DatabaseBusyError', () => {
    for (const [error, name, isFrequent] of [
      [new DatabaseUnavailableError('x'), 'DatabaseUnavailableError', false],
      [new DatabaseBusyError('x'), 'DatabaseBusyError', true],
      [new UnknownOutcomeError('x'), 'UnknownOutcomeError', false],
    ] as const)
      assert.deepEqual([error.name, error.isFrequent], [name, isFrequent])
  })
})
