import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DatabaseUnavailableError } from './database.ts'
import {
  explainConnectionError,
  explainStatementError,
  findFix,
  hasRolledBack,
  isFromServer,
  isUsableAfter,
  PostgresUnavailableError,
  reasonOf,
} from './postgres-errors.ts'

const error = (code: string | undefined, message = 'x', severity = 'ERROR'): Error =>
  Object.assign(new Error(message), { code, severity, detail: 'Key (email)=(ada@example.com)' })
const failureOf = (thrown: unknown): unknown =>
  thrown instanceof PostgresUnavailableError ? thrown.failure : undefined

describe('explainStatementError', () => {
  const cases: readonly (readonly [failure: string | undefined, ...codes: readonly string[]])[] = [
    ['conflict', '40001', '40P01'],
    ['refused', '57014', '55P03', '53100', '53300'],
    ['lost', '08000', '08003', '08006', '57P01', '57P03', '25P03', '25P04', '25006'],
    ['lost', 'ECONNRESET', 'EPIPE', 'ECONNREFUSED'],
    [undefined, '23505', '42501', '22P02', '28P01', '08004', '40003', 'ERR_X'],
  ]
  for (const [failure, ...codes] of cases) {
    it(`explainStatementError treats ${codes.join(', ')} as ${failure ?? 'no outage'}`, () => {
      for (const code of codes) {
        const given = error(code)
        const explained = explainStatementError(given)
        assert.equal(failureOf(explained), failure, code)
        if (failure === undefined) assert.equal(explained, given)
        else assert.equal((explained as Error).cause, given)
      }
    })
  }

  it('an error of pg without a code means a lost connection or a timeout', () => {
    for (const [message, failure] of [
      ['Connection terminated unexpectedly', 'lost'],
      ['Client has encountered a connection error and is not queryable', 'lost'],
      ['Query read timeout', 'timeout'],
      ['timeout exceeded when trying to connect', 'timeout'],
      ['bind message has wrong values', undefined],
    ])
      assert.equal(failureOf(explainStatementError(error(undefined, message))), failure)
  })

  it('the code 08P01 means an outage only if it is fatal, and not about a startup parameter', () => {
    const parameter = 'unsupported startup parameter: statement_timeout'
    assert.equal(
      failureOf(explainStatementError(error('08P01', 'server conn crashed?', 'FATAL'))),
      'lost',
    )
    assert.equal(
      failureOf(explainStatementError(error('08P01', 'bind message supplies 1'))),
      undefined,
    )
    assert.equal(failureOf(explainStatementError(error('08P01', parameter, 'FATAL'))), undefined)
    assert.match(findFix(error('08P01', parameter)) ?? '', /remove this parameter from the URL/)
  })

  it('findFix returns a fix if PostgreSQL does not answer', () => {
    for (const silent of [
      new PostgresUnavailableError('outage', 'the PostgreSQL database does not answer'),
      error(undefined, 'timeout expired'),
    ])
      assert.match(findFix(new Error('x', { cause: silent })) ?? '', /let a firewall pass/)
  })

  it('explainStatementError removes `detail`, which contains values of a row, from an error', () => {
    assert.equal(Reflect.get(explainStatementError(error('23505')) as object, 'detail'), undefined)
  })
})

describe('explainConnectionError', () => {
  it('a refused connection is reported as an outage, and an error without a code as a bug', () => {
    for (const code of ['28P01', '3D000', '08004', 'SELF_SIGNED_CERT_IN_CHAIN'])
      assert.equal(failureOf(explainConnectionError(error(code))), 'refused', code)
    assert.equal(failureOf(explainConnectionError(error('ECONNREFUSED'))), 'lost')
    assert.equal(failureOf(explainConnectionError(error(undefined))), undefined)
  })
})

describe('hasRolledBack', () => {
  it('hasRolledBack is true only for an error of a statement, not of the connection or server', () => {
    for (const code of ['23505', '40001', '57014', '53100', 'P0001'])
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
    assert.equal(hasRolledBack(explainStatementError(error('40001'))), true)
    assert.equal(hasRolledBack(explainStatementError(error('57P01'))), false)
  })
})

describe('isFromServer', () => {
  it('isFromServer is true for an error code of PostgreSQL, and false for one of Node', () => {
    for (const code of ['57P03', '53300', '08P01']) assert.equal(isFromServer(error(code)), true)
    for (const code of ['EPIPE', 'ECONNREFUSED', undefined])
      assert.equal(isFromServer(error(code)), false)
  })
})

describe('isUsableAfter', () => {
  it('isUsableAfter is true only for an error that leaves the connection open', () => {
    const usable = ['40001', '57014', '53100', '23505']
    for (const code of [...usable, '57P01', 'ECONNRESET', '25006'])
      assert.equal(isUsableAfter(explainStatementError(error(code))), usable.includes(code), code)
    assert.equal(
      isUsableAfter(explainStatementError(error(undefined, 'Query read timeout'))),
      false,
    )
  })
})

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
