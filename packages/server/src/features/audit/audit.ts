import { isIP } from 'node:net'
import type { Clock, HttpRequestWithBody } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import type { AuditEntry, By } from './entry.ts'
import { recordAudit } from './store.ts'

/** Where refusals are written down. What is a change is written down by the transaction that makes it. */
export interface Audit {
  /**
   * Writes an entry down; when this resolves, it is on disk. So a refusal is thrown after it.
   *
   * @throws {DatabaseUnavailableError} when it cannot be written now
   */
  record(entry: Omit<AuditEntry, 'at'>): Promise<void>
}

export function createAudit(database: Database, clock: Clock): Audit {
  return { record: (entry) => database.write(recordAudit, { ...entry, at: clock.now() }) }
}

export const byOperator: By = { actor: 'operator' }
export const byApp: By = { actor: 'app' }

/** Whoever sends a request, before anything about them is proved. */
export function byStranger(request: HttpRequestWithBody): By {
  return { actor: 'nobody', address: addressOf(request) }
}

/** The person whose access token came with a request. */
export function byCaller(request: HttpRequestWithBody, { subject, clientId, sessionId }: CallerIdentity): By {
  return { actor: `user:${subject}`, address: addressOf(request), clientId, sessionId }
}

/** Who has called, as the record names them. */
export interface CallerIdentity {
  readonly subject: string
  readonly clientId: string
  readonly sessionId?: string | undefined
}

/** The address of the peer; an IPv4 address is written as one, also on a socket that takes both kinds. */
export function addressOf({ remoteAddress }: Pick<HttpRequestWithBody, 'remoteAddress'>): string | undefined {
  const address = remoteAddress?.replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1')
  return isIP(address ?? '') === 0 ? undefined : address
}
