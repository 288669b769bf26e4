// The audit record says who did what. When a session or an account changes, the transaction of the
// change inserts the entry (`in-transaction.ts`). When Keystile refuses a login, a client or a
// token, `audit.record` in this file writes the entry before the refusal is thrown. Who acted is a
// `By` (`entry.ts`): the actor, and the IP address, the session and the client of the request.
// Routes make it with the functions of `by.ts`. `follow.ts` reads new entries for `keystile audit`.
import { ProblemError, type Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import type { AuditEntry } from './entry.ts'
import { readNewestInstant, recordAudit } from './store.ts'

/**
 * Writes audit entries of refusals. The audit entry of a change is written by `insertAudit()`, in
 * the transaction of the change.
 *
 * @typeParam Event the events that may be recorded here
 */
export interface Audit<in Event extends string> {
  /**
   * Writes an entry. The entry is on disk when the promise resolves, so await the promise before
   * you throw the refusal.
   *
   * @throws {DatabaseUnavailableError} if the database cannot be written now
   * @throws {ProblemError} `temporarily_unavailable` if too many entries wait for the database
   */
  record(entry: Omit<AuditEntry<Event>, 'at'>): Promise<void>
}

/**
 * How many entries may wait for the database. Without this limit, a flood of refused requests would
 * delay every other write.
 */
const maxWaiting = 200

export function createAudit(database: Database, clock: Clock): Audit<string> {
  let waiting = 0

  return {
    async record(entry) {
      if (waiting >= maxWaiting)
        throw new ProblemError('temporarily_unavailable', 'Too many refusals at the moment', {
          reason: 'audit_queue_full',
          retryAfterSeconds: 1,
        })

      waiting++
      try {
        await database.write(recordAudit, { ...entry, at: clock.now() })
      } finally {
        waiting--
      }
    },
  }
}

/**
 * Returns the time of the newest audit entry, in milliseconds. Returns undefined if there is no
 * entry, or if the database has no tables yet.
 */
export function findNewestInstant({
  reader,
}: Pick<Database, 'reader'>): Promise<number | undefined> {
  return readNewestInstant(reader)
}
