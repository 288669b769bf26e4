import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DatabaseUnavailableError } from './database.ts'
import { reasonOf } from './postgres.ts'

describe('reasonOf', () => {
  it('reasonOf returns the errors of all addresses of a host', () => {
    const refused = ['::1', '127.0.0.1'].map((address) => new Error(`ECONNREFUSED ${address}:5432`))
    const driver = new AggregateError(refused) // its own message is empty
    const unavailable = new DatabaseUnavailableError('cannot be reached', { cause: driver })
    const migration = new Error('cannot be reached', { cause: unavailable })
    assert.equal(reasonOf(migration), 'ECONNREFUSED ::1:5432, ECONNREFUSED 127.0.0.1:5432')
    assert.equal(reasonOf(new Error('no cause')), 'no cause')
  })
})
