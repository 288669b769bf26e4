import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigurationError } from '../base/configuration-error.ts'
import { DatabaseUnavailableError } from './database.ts'
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
  PostgresUnavailableError,
} from './postgres-errors.ts'

const error = (code: string | undefined, message = 'x', severity = 'ERROR'): Error =>
  Object.assign(new Error(message), { code, severity, detail: 'Key (email)=(ada@example.com)' })

describe('findFix', () => {
  it('findFix returns a fix if PostgreSQL does not answer', () => {
    for (const silent of [
      new PostgresUnavailableError('outage', 'the PostgreSQL database does not answer'),
      error(undefined, 'timeout expired'),
    ])
      assert.match(findFix(new Error('x', { cause: silent })) ?? '', /let a firewall pass/)
  })

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
