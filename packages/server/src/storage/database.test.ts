import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  createNotifier,
  DatabaseBusyError,
  DatabaseUnavailableError,
  isTakenAtTheSameTime,
  UnknownOutcomeError,
} from './database.ts'

describe('the errors of the database', () => {
  it('database errors have their own names; isFrequent is true only for DatabaseBusyError', () => {
    for (const [error, name, isFrequent] of [
      [new DatabaseUnavailableError('x'), 'DatabaseUnavailableError', false],
      [new DatabaseBusyError('x'), 'DatabaseBusyError', true],
      [new UnknownOutcomeError('x'), 'UnknownOutcomeError', false],
    ] as const)
      assert.deepEqual([error.name, error.isFrequent], [name, isFrequent])
  })

  it('isTakenAtTheSameTime is true only for the PostgreSQL error unique_violation', () => {
    const withCode = (code: string): Error => Object.assign(new Error('x'), { code })
    assert.equal(isTakenAtTheSameTime(withCode('23505')), true)
    for (const error of [withCode('23503'), new Error('x')])
      assert.equal(isTakenAtTheSameTime(error), false)
  })
})

describe('createNotifier', () => {
  it('notify() passes each notice in a list to each listener, and ignores undefined', () => {
    const heard: unknown[] = []
    const { onCommitted, notify } = createNotifier()
    for (const listener of [1, 2]) onCommitted((notice) => heard.push([listener, notice]))
    notify(undefined)
    notify(['a', 'b'])
    assert.deepEqual(heard, [
      [1, 'a'],
      [2, 'a'],
      [1, 'b'],
      [2, 'b'],
    ])
  })
})
