// COMMIT is the one statement whose failure does not say that nothing was done.
import { UnknownOutcomeError } from './database.ts'
import { hasRolledBack } from './postgres-errors.ts'

/** The part of pg's notices that this file uses. */
export interface Notice {
  readonly message?: string | undefined
  readonly routine?: string | undefined
}

/**
 * Sends a COMMIT. Returns its result only if PostgreSQL has confirmed that the commit is as durable
 * as it is configured to be.
 *
 * @param send sends the statement. Its errors are those of `classifyStatementError`.
 * @param notices the notices that arrive during the statement
 * @throws {UnknownOutcomeError} if the connection failed, or PostgreSQL did not wait for its
 *   standby: the transaction may or may not have been committed, so the caller must not simply try
 *   again
 */
export async function commit<T>(send: () => Promise<T>, notices: readonly Notice[]): Promise<T> {
  let result: T
  try {
    result = await send()
  } catch (error) {
    throw hasRolledBack(error) ? error : unknownOutcome('PostgreSQL did not confirm it', error)
  }

  if (notices.some(isWithoutStandby))
    throw unknownOutcome('PostgreSQL has committed it, but did not wait for its standby')
  return result
}

/**
 * Whether a notice says that an operator or a shutdown has ended the wait for a synchronous
 * standby. PostgreSQL then reports success: the commit is on its own disk, but a failover may lose
 * it. The notice names the function of PostgreSQL that sent it. This name, unlike the message, is
 * never translated.
 */
function isWithoutStandby({ routine, message = '' }: Notice): boolean {
  return routine === 'SyncRepWaitForLSN' || /synchronous replication/.test(message)
}

function unknownOutcome(reason: string, cause?: unknown): UnknownOutcomeError {
  return new UnknownOutcomeError(`the outcome of a transaction is unknown: ${reason}`, { cause })
}
