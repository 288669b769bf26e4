// What the errors of pg and PostgreSQL mean for Keystile. `postgres-advice.ts` explains them to an
// operator.
import { DatabaseUnavailableError, UnknownOutcomeError } from './database.ts'

/**
 * What is known after a failed statement:
 *
 * - `conflict`: PostgreSQL rolled the transaction back because it conflicted with another
 *   transaction. A new try may succeed.
 * - `refused`: PostgreSQL did not run the statement, or did not accept the connection.
 * - `lost`: the connection has ended, or leads to a server that cannot write.
 * - `timeout`: there was no reply in time. PostgreSQL may still run the statement.
 * - `outage`: the database does not answer at all.
 */
export type Failure = 'conflict' | 'refused' | 'lost' | 'timeout' | 'outage'

export class PostgresUnavailableError extends DatabaseUnavailableError {
  readonly failure: Failure
  override readonly isFrequent: boolean
  constructor(
    failure: Failure,
    message: string,
    { isFrequent = false, ...options }: ErrorOptions & { readonly isFrequent?: boolean } = {},
  ) {
    super(message, options)
    this.failure = failure
    this.isFrequent = isFrequent
  }
}

/** Whether the connection of a failed statement can run the next one. */
export function isUsableAfter(error: unknown): boolean {
  if (error instanceof UnknownOutcomeError) return false
  if (!(error instanceof PostgresUnavailableError)) return true
  return error.failure === 'conflict' || error.failure === 'refused'
}

export function isFailure(error: unknown, failure: Failure): boolean {
  return error instanceof PostgresUnavailableError && error.failure === failure
}

const cannotBeReached = 'the PostgreSQL database cannot be reached'

/** The codes of PostgreSQL and Node that mean that the database is not available. */
const unavailable: readonly (readonly [codes: RegExp, failure: Failure, message: string])[] = [
  [/^(40001|40P01)$/, 'conflict', 'the transaction conflicts with others again and again'],
  [/^(57014|55P03)$/, 'refused', 'PostgreSQL has cancelled a statement, which took too long'],
  [/^53[0-9A-Z]{3}$/, 'refused', 'PostgreSQL lacks connections, memory or space on its disk'],
  [/^25006$/, 'lost', 'PostgreSQL is a standby, which cannot write'],
  // The timeouts of an idle or a long transaction. PostgreSQL closes the connection.
  [/^25P0[34]$/, 'lost', 'PostgreSQL has ended a transaction, which took too long'],
  [/^(57P|E[A-Z]+$)/, 'lost', cannotBeReached],
  // 08P01 is in `findFailureOfPooler`. With 08004, a server refuses connections for good.
  [/^08(?!P01|004)/, 'lost', cannotBeReached],
]

/**
 * Returns the error that a statement throws: a `PostgresUnavailableError`, if the database was not
 * available. Otherwise the given error, without the members that may contain values of a row.
 */
export function classifyStatementError(error: unknown): unknown {
  const found = findUnavailable(error)
  if (found) return found

  // These members may contain an e-mail address or a password hash, which must not reach the log.
  return Object.assign(error as object, { detail: undefined, where: undefined, hint: undefined })
}

/**
 * Returns the error that a failed connection throws. If the server refuses the connection, for
 * example because the password has changed, this is an outage for callers, and not a bug.
 */
export function classifyConnectionError(error: unknown): unknown {
  const found = findUnavailable(error)
  if (found || typeof codeOf(error) !== 'string') return found ?? error
  return new PostgresUnavailableError('refused', 'PostgreSQL refuses the connection', {
    cause: error,
  })
}

/** Returns the error to throw if the database was not available. */
export function findUnavailable(error: unknown): PostgresUnavailableError | undefined {
  if (error instanceof PostgresUnavailableError) return error

  const code = codeOf(error)
  const known = unavailable.find(([codes]) => typeof code === 'string' && codes.test(code))
  if (known) return new PostgresUnavailableError(known[1], known[2], { cause: error })

  const failure = isFromServer(error) ? findFailureOfPooler(error) : findFailureOfPg(error)
  return failure && new PostgresUnavailableError(failure, cannotBeReached, { cause: error })
}

/** Errors of pg itself have no code. */
function findFailureOfPg(error: unknown): Failure | undefined {
  const message = messageOf(error)
  if (/terminated|not queryable/i.test(message)) return 'lost'
  return /timeout/i.test(message) ? 'timeout' : undefined
}

/**
 * Returns `lost` if a pooler has lost its server. PgBouncer then sends a fatal error with the code
 * 08P01 (protocol error), as for all its fatal errors. Two other errors have this code too, and are
 * not `lost`:
 *
 * - PgBouncer refuses a connection parameter. Every new connection fails too, until an operator
 *   corrects the parameter.
 * - PostgreSQL refuses a malformed statement. This is a bug, and the error is not fatal.
 */
function findFailureOfPooler(error: unknown): Failure | undefined {
  const isFatal = (error as { readonly severity?: unknown }).severity === 'FATAL'
  const isOutage = codeOf(error) === '08P01' && isFatal
  return isOutage && !unsupportedParameter.test(messageOf(error)) ? 'lost' : undefined
}

/** The message of PgBouncer when it refuses a parameter of a connection. */
export const unsupportedParameter: RegExp = /^unsupported startup parameter/

/** Whether PostgreSQL, or a pooler in front of it, has sent this error. */
export function isFromServer(error: unknown): boolean {
  const code = codeOf(rootOf(error))
  // Codes of Node, such as EPIPE, begin with E. No class of PostgreSQL's codes does.
  return typeof code === 'string' && /^(?!E)[0-9A-Z]{5}$/.test(code)
}

/**
 * Whether an error of a COMMIT proves that PostgreSQL has rolled the transaction back. False if the
 * connection failed or the server shut down, because the commit may have happened before.
 */
export function hasRolledBack(error: unknown): boolean {
  return isFromServer(error) && !/^(08|57P|25P|58|XX)/.test(String(codeOf(rootOf(error))))
}

/** Returns the code of an error of PostgreSQL or Node. Errors of pg itself have no code. */
export function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Returns the error that caused this one: Keystile's errors wrap those of pg. */
export function rootOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(messageOf(error))
  return error.cause instanceof Error ? rootOf(error.cause) : error
}
