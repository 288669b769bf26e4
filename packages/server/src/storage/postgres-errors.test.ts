import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UnknownOutcomeError } from './database.ts'
import { findFix } from './postgres-advice.ts'
import {
  classifyConnectionError,
  classifyStatementError,
  hasRolledBack,
  isFromServer,
  isUsableAfter,
  PostgresUnavailableError,
} from './postgres-errors.ts'

const error = (code: string | undefined, message = 'x', severity = 'ERROR'): Error =>
  Object.assign(new Error(message), { code, severity, detail: 'Key (email)=(ada@example.com)' })
const failureOf = (thrown: unknown): unknown =>
  thrown instanceof PostgresUnavailableError ? thrown.failure : undefined

describe('classifyStatementError', () => {
  const cases: readonly (readonly [failure: string | undefined, ...codes: readonly string[]])[] = [
    ['conflict', '40001', '40P01'],
    ['refused', '57014', '55P03', '53100', '53300'],
    ['lost', '08000', '08003', '08006', '57P01', '57P03', '25P03', '25P04', '25006'],
    ['lost', 'ECONNRESET', 'EPIPE', 'ECONNREFUSED'],
    [undefined, '23505', '42501', '22P02', '28P01', '08004', '40003', 'ERR_X'],
    // Codes that only contain one of the others:
    [undefined, 'X40001', '400010', 'X57014', '570140', 'X5300', 'X25006', '250060'],
    [undefined, 'X25P03', '25P030', '25P05', 'X57P01', 'XEPIPE', 'X08006'],
  ]
  for (const [failure, ...codes] of cases) {
    it(`classifyStatementError treats ${codes.join(', ')} as ${failure ?? 'no outage'}`, () => {
      for (const code of codes) {
        const given = error(code)
        const classified = classifyStatementError(given)
        assert.equal(failureOf(classified), failure, code)
        if (failure === undefined) assert.equal(classified, given)
        else assert.equal((classified as Error).cause, given)
      }
    })
  }

  it('classifyStatementError classifies a pg error without a code by its message', () => {
    for (const [message, failure] of [
      ['Connection terminated unexpectedly', 'lost'],
      ['Client has encountered a connection error and is not queryable', 'lost'],
      ['Query read timeout', 'timeout'],
      ['timeout exceeded when trying to connect', 'timeout'],
      ['bind message has wrong values', undefined],
    ])
      assert.equal(failureOf(classifyStatementError(error(undefined, message))), failure)
  })

  it('an 08P01 error is an outage if it is fatal and not about a startup parameter', () => {
    const parameter = 'unsupported startup parameter: statement_timeout'
    assert.equal(
      failureOf(classifyStatementError(error('08P01', 'server conn crashed?', 'FATAL'))),
      'lost',
    )
    assert.equal(
      failureOf(classifyStatementError(error('08P01', 'bind message supplies 1'))),
      undefined,
    )
    assert.equal(failureOf(classifyStatementError(error('08P01', parameter, 'FATAL'))), undefined)
    assert.equal(
      failureOf(classifyStatementError(error('08P01', `not an ${parameter}`, 'FATAL'))),
      'lost',
    )
    assert.equal(failureOf(classifyStatementError(error('22P02', 'x', 'FATAL'))), undefined)
    assert.match(findFix(error('08P01', parameter)) ?? '', /remove this parameter from the URL/)
  })

  it('classifyStatementError removes an error’s `detail`, which contains a row’s values', () => {
    assert.equal(Reflect.get(classifyStatementError(error('23505')) as object, 'detail'), undefined)
  })
})

describe('classifyConnectionError', () => {
  it('classifyConnectionError reports refused, lost and timed-out connections as outages', () => {
    for (const code of ['28P01', '3D000', '08004', 'SELF_SIGNED_CERT_IN_CHAIN'])
      assert.equal(failureOf(classifyConnectionError(error(code))), 'refused', code)
    const refused = error('28P01')
    assert.equal((classifyConnectionError(refused) as Error).cause, refused)
    assert.equal(failureOf(classifyConnectionError(error('ECONNREFUSED'))), 'lost')
    const unknown = error(undefined)
    assert.equal(classifyConnectionError(unknown), unknown)
    const silent = error(undefined, 'timeout expired')
    assert.equal((classifyConnectionError(silent) as Error).cause, silent)
    const known = new PostgresUnavailableError('outage', 'x')
    assert.equal(classifyConnectionError(known), known)
  })
})

describe('hasRolledBack', () => {
  it('hasRolledBack is true for an error of a statement, not of the connection or server', () => {
    for (const code of ['23505', '40001', '57014', '53100', 'P0001', '22008'])
      assert.equal(hasRolledBack(error(code)), true, code)
    for (const code of [
      '57P01',
      '08006',
      '08P01',
      '25P04',
      '58030',
      'XX000',
      'ECONNRESET',
      undefined,
    ])
      assert.equal(hasRolledBack(error(code)), false, String(code))
    assert.equal(hasRolledBack(classifyStatementError(error('40001'))), true)
    assert.equal(hasRolledBack(classifyStatementError(error('57P01'))), false)
  })
})

describe('isFromServer', () => {
  it('isFromServer is true for error codes of PostgreSQL, and false for codes of Node', () => {
    for (const code of ['57P03', '53300', '08P01']) assert.equal(isFromServer(error(code)), true)
    for (const code of ['EPIPE', 'ECONNREFUSED', '570330', undefined])
      assert.equal(isFromServer(error(code)), false)
  })
})

describe('isUsableAfter', () => {
  it('isUsableAfter is true only for an error that leaves the connection open', () => {
    const usable = ['40001', '57014', '53100', '23505']
    for (const code of [...usable, '57P01', 'ECONNRESET', '25006'])
      assert.equal(isUsableAfter(classifyStatementError(error(code))), usable.includes(code), code)
    assert.equal(
      isUsableAfter(classifyStatementError(error(undefined, 'Query read timeout'))),
      false,
    )
    assert.equal(isUsableAfter(new UnknownOutcomeError('x')), false)
    assert.equal(isUsableAfter(new Error('a bug')), true)
  })
})

describe('PostgresUnavailableError', () => {
  it('isFrequent of a PostgresUnavailableError is the constructor’s option, or else false', () => {
    assert.equal(new PostgresUnavailableError('lost', 'x').isFrequent, false)
    assert.equal(new PostgresUnavailableError('lost', 'x', { isFrequent: true }).isFrequent, true)
  })
})
