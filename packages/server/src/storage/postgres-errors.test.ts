import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigurationError } from '../base/configuration-error.ts'
import { DatabaseUnavailableError, UnknownOutcomeError } from './database.ts'
import {
  errorWithFix,
  findFix,
  MissingPgError,
  reasonAndFixOf,
  reasonOf,
} from './postgres-advice.ts'
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

  it('findFix returns a fix if PostgreSQL does not answer', () => {
    for (const silent of [
      new PostgresUnavailableError('outage', 'the PostgreSQL database does not answer'),
      error(undefined, 'timeout expired'),
    ])
      assert.match(findFix(new Error('x', { cause: silent })) ?? '', /let a firewall pass/)
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

describe('findFix', () => {
  it('findFix returns a fix for known error codes, and none for codes that look similar', () => {
    for (const [fix, ...codes] of [
      [/^correct the user and the password/, '28P01', '28000'],
      [/^create the database/, '3D000'],
      [/^run "keystile migrate"/, '42501'],
      [/^correct the host/, 'ENOTFOUND', 'EAI_AGAIN'],
      [/^start PostgreSQL there, or correct/, 'ECONNREFUSED', 'ETIMEDOUT'],
      [/^free memory/, '53300', '53100'],
      [/must name the primary$/, '25006'],
      [/for what is slow$/, '57014', '55P03', '25P03', '25P04', '40001', '40P01'],
    ] as const)
      for (const code of codes) {
        assert.match(findFix(error(code)) ?? '', fix)
        for (const other of [`X${code}`, `${code}X`])
          assert.doesNotMatch(findFix(error(other)) ?? '', fix)
      }
    assert.match(findFix(error(undefined, 'client password must be a string')) ?? '', /^give the/)
    assert.match(
      findFix(error('42501', 'permission denied for database keystile')) ?? '',
      /grant create on database/,
    )
    const inSchema = findFix(error('42501', 'permission denied for schema keystile'))
    assert.match(inSchema ?? '', /as the role that owns the schema/)
    assert.doesNotMatch(inSchema ?? '', /grant create/)
    assert.equal(findFix('text'), undefined)
    assert.equal(findFix(error('23505')), undefined)
  })

  it('findFix returns a fix for each outage, whatever error of the connection came first', () => {
    for (const lost of [
      error('ECONNRESET'),
      error('EPIPE'),
      error('57P01', 'terminating connection due to administrator command'),
      error('08006'),
      error(undefined, 'Connection terminated unexpectedly'),
      new PostgresUnavailableError('lost', 'x'),
    ])
      for (const thrown of [lost, classifyStatementError(lost), classifyConnectionError(lost)])
        assert.equal(findFix(thrown), 'start PostgreSQL there, or look into its log')
  })
})

describe('errorWithFix', () => {
  it('errorWithFix() says what failed, why, and how to fix the failure', () => {
    const refused = error('ECONNREFUSED', 'refused')
    const unavailable = errorWithFix('it cannot be opened', refused)
    assert.ok(unavailable instanceof DatabaseUnavailableError)
    assert.match(unavailable.message, /^it cannot be opened: refused\. Fix: start PostgreSQL there/)
    assert.equal(unavailable.cause, refused)
    assert.equal(errorWithFix('it fails', new Error('why')).message, 'it fails: why')

    const wrong = new ConfigurationError('the tables are wrong')
    const configuration = errorWithFix('it fails', wrong)
    assert.ok(configuration instanceof ConfigurationError)
    assert.equal(configuration.message, 'it fails: the tables are wrong')
    assert.equal(configuration.cause, wrong)
  })

  it('if pg is not installed, the errors say to install it', () => {
    const cause = new Error('Cannot find package')
    const missing = new MissingPgError(cause)
    const reason = 'the package pg must be installed for a database on PostgreSQL'
    assert.equal(missing.message, `${reason}. Fix: npm install pg`)
    assert.equal(missing.cause, cause)
    assert.deepEqual(reasonAndFixOf(missing), { reason, fix: 'npm install pg' })
    assert.ok(errorWithFix('it fails', missing) instanceof DatabaseUnavailableError)
    const refused = reasonAndFixOf(error('28P01', 'wrong password'))
    assert.equal(refused.reason, 'wrong password')
    assert.match(refused.fix ?? '', /^correct the user/)
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
