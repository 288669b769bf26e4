// The audit record says who did what. When a session or an account changes, the transaction of the
// change inserts the entry (`in-transaction.ts`). When Keystile refuses a login, a client or a
// token, `audit.record` in this file writes the entry before the refusal is thrown. Who acted is a
// `By` (`entry.ts`): the actor, and the IP address, the session and the client of the request.
// Routes make it with the functions at the end of this file. `follow.ts` reads new entries for
// `keystile audit`.
import { isIP } from 'node:net'
import { ProblemError, type Clock, type HttpRequestWithBody } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { areStorable } from '../../../storage/storable.ts'
import type { AuditEntry, By } from './entry.ts'
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

export const byOperator: By = { actor: 'operator' }
export const byApp: By = { actor: 'app' }

/**
 * Returns the actor `nobody` with the IP address of a request, for a sender who is not
 * authenticated.
 */
export function byStranger(request: HttpRequestWithBody): By {
  return { actor: 'nobody', ...senderOf(request) }
}

/**
 * Returns the actor for a request with an access token: the user of the token, with the IP address,
 * client and session.
 */
export function byCaller(
  request: HttpRequestWithBody,
  { subject, clientId, sessionId, acr }: CallerIdentity,
): By {
  const token = { clientId, sessionId, ...(acr !== undefined && { acr }) }
  return { actor: `user:${subject}`, ...senderOf(request), ...token }
}

/** Returns what a mail about a change tells or needs of the request that caused it. */
export function senderOf(request: HttpRequestWithBody): Pick<By, 'address' | 'acceptLanguage'> {
  const acceptLanguage = request.headers.get('accept-language')
  return { address: addressOf(request), ...(acceptLanguage !== null && { acceptLanguage }) }
}

export interface CallerIdentity {
  readonly subject: string
  readonly clientId: string
  readonly sessionId?: string | undefined
  readonly acr?: string | undefined
}

/**
 * Whether a database can store the subject, session id and client id of a token. PostgreSQL, for
 * example, cannot store U+0000.
 */
export function hasStorableNames({ subject, sessionId, clientId }: CallerIdentity): boolean {
  return areStorable(subject, sessionId, clientId)
}

/**
 * Returns the IP address of the peer; undefined if it is unknown. A socket that accepts both IPv4
 * and IPv6 reports `::ffff:192.0.2.1` for `192.0.2.1`; the function returns the short form.
 */
export function addressOf({
  remoteAddress,
}: Pick<HttpRequestWithBody, 'remoteAddress'>): string | undefined {
  const address = remoteAddress?.replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1')
  return address !== undefined && isIP(address) !== 0 ? address : undefined
}
