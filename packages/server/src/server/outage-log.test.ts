import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { silentLogger, TokenError, type Logger } from 'keystile/internal'
import { DatabaseUnavailableError, UnknownOutcomeError } from '../storage/database.ts'
import { PostgresUnavailableError } from '../storage/postgres-errors.ts'
import { withDescribedOutages } from './outage-log.ts'

type Line = readonly [level: string, fields: { readonly err?: Error }, message: string]

/** Logs an error, and returns what the logger got. */
function linesOf(error: Error, level: 'warn' | 'error' = 'error'): readonly Line[] {
  const lines: Line[] = []
  const log = (name: string) => (fields: object, text: string) =>
    void lines.push([name, fields, text])
  const logger = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((name) => [name, log(name)]),
  ) as unknown as Logger
  const database = 'postgres://user:secret@db.example:5433/app'
  withDescribedOutages({ logger, database }).logger[level](
    { err: error, route: '/token' },
    'unavailable',
  )
  return lines
}

const refused = Object.assign(new Error('connect ECONNREFUSED 192.0.2.1:5433'), {
  code: 'ECONNREFUSED',
})
const cannotBeReached = new PostgresUnavailableError(
  'lost',
  'the PostgreSQL database cannot be reached',
  { cause: refused },
)
const reached =
  'PostgreSQL at db.example:5433/app: the PostgreSQL database cannot be reached: ' +
  'connect ECONNREFUSED 192.0.2.1:5433. ' +
  'Fix: start PostgreSQL there, or correct host and port in the URL'

describe('the log of an outage', () => {
  for (const [what, error, message] of [
    ['a database that refuses connections', cannotBeReached, reached],
    [
      'a database that does not answer',
      new PostgresUnavailableError('outage', 'the PostgreSQL database does not answer'),
      'PostgreSQL at db.example:5433/app: the PostgreSQL database does not answer. ' +
        'Fix: start PostgreSQL there, correct host and port in the URL, ' +
        'or let a firewall pass the connection',
    ],
    [
      'a commit with an unknown outcome',
      new UnknownOutcomeError('the outcome of a transaction is unknown'),
      'PostgreSQL at db.example:5433/app: the outcome of a transaction is unknown. ' +
        'Fix: start PostgreSQL there, or look into its log',
    ],
    [
      'a full disk',
      new DatabaseUnavailableError('the disk is full (SQLite: full, code 13). Fix: free space', {
        cause: new Error('full'),
      }),
      'PostgreSQL at db.example:5433/app: the disk is full (SQLite: full, code 13). Fix: free space',
    ],
    [
      'a token that cannot be checked during an outage',
      new TokenError('temporarily_unavailable', 'x', { cause: cannotBeReached }),
      reached,
    ],
  ] as const)
    it(`the log line about ${what} names the database, the cause and a fix, without a stack`, () => {
      for (const level of ['warn', 'error'] as const) {
        const [detail, line, ...others] = linesOf(error, level)
        assert.ok(line && detail)
        const [, { err, ...fields }, text] = line
        assert.deepEqual([line[0], fields, text], [level, { route: '/token' }, 'unavailable'])
        assert.deepEqual([err?.message, err?.stack, err?.cause], [message, undefined, undefined])
        // Only at `debug` is the error itself, with its stack.
        const more = { err: error, route: '/token' }
        assert.deepEqual(detail, ['debug', more, 'unavailable; with the stack'])
        assert.deepEqual(others, [])
      }
    })

  it('the log line about an outage keeps the name of the error', () => {
    assert.equal(linesOf(new UnknownOutcomeError('x'))[1]?.[1].err?.name, 'UnknownOutcomeError')
  })

  it('during an outage, the log has each line once a minute, with the number of repetitions', () => {
    let time = 0
    mock.method(performance, 'now', () => time)
    const logged: unknown[] = []
    const error = (fields: object, _message: string): void =>
      void logged.push(Reflect.get(fields, 'repetitions'))
    const logger = { ...silentLogger, error }
    const database = 'postgres://db.example/app'
    const described = withDescribedOutages({ logger, database }).logger
    const log = (err: Error): void => described.error({ err }, 'unavailable')
    for (const at of [0, 1, 59_999, 60_000, 60_001]) {
      time = at
      log(cannotBeReached)
    }
    assert.deepEqual(logged, [undefined, 2])
    log(new PostgresUnavailableError('outage', 'another text'))
    log(cannotBeReached)
    log(new UnknownOutcomeError('x'))
    log(new UnknownOutcomeError('x'))
    assert.equal(logged.length, 6)
    mock.restoreAll()
  })

  it('the log line about a bug keeps its stack', () => {
    const bug = new Error('a bug')
    const lines = linesOf(bug)
    assert.equal(lines.length, 1)
    assert.equal(lines[0]?.[1].err, bug)
  })
})
