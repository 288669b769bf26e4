import { isIP } from 'node:net'
import { ProblemError, type Clock, type HttpRequestWithBody } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { areStorable } from '../../storage/storable.ts'
import type { AuditEntry, By } from './entry.ts'
import { readNewestInstant, recordAudit } from './store.ts'

/**
 * Where refusals are written down. What is a change is written down by the transaction that makes
 * it.
 *
 * @typeParam Event the events that may be recorded here
 */
export interface Audit<in Event extends string> {
  /**
   * Writes an entry down; when this resolves, it is on disk. So a refusal is thrown after it.
   *
   * @throws {DatabaseUnavailableError} when it cannot be written now
   * @throws {ProblemError} `temporarily_unavailable` when too many wait already
   */
  record(entry: Omit<AuditEntry<Event>, 'at'>): Promise<void>
}

/**
 * So many refusals wait to be written down at once: without a bound a flood of them would hold up
 * every other write.
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
 * The instant of the newest line of the record, in milliseconds; undefined also where there is no
 * record yet.
 */
export function findNewestInstant({
  reader,
}: Pick<Database, 'reader'>): Promise<number | undefined> {
  return readNewestInstant(reader)
}

export const byOperator: By = { actor: 'operator' }
export const byApp: By = { actor: 'app' }

/** Whoever sends a request, before anything about them is proved. */
export function byStranger(request: HttpRequestWithBody): By {
  return { actor: 'nobody', address: addressOf(request) }
}

/** The person whose access token came with a request. */
export function byCaller(
  request: HttpRequestWithBody,
  { subject, clientId, sessionId }: CallerIdentity,
): By {
  return { actor: `user:${subject}`, address: addressOf(request), clientId, sessionId }
}

/** Who has called, as the record names them. */
export interface CallerIdentity {
  readonly subject: string
  readonly clientId: string
  readonly sessionId?: string | undefined
}

/** Whether a database can hold the user, session and client that a token names. */
export function hasStorableNames({ subject, sessionId, clientId }: CallerIdentity): boolean {
  return areStorable(subject, sessionId, clientId)
}

/**
 * The address of the peer; an IPv4 address is written as one, also on a socket that takes both
 * kinds.
 */
export function addressOf({
  remoteAddress,
}: Pick<HttpRequestWithBody, 'remoteAddress'>): string | undefined {
  const address = remoteAddress?.replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1')
  return isIP(address ?? '') === 0 ? undefined : address
}
