import type { Audit } from '../../operations/audit/audit.ts'
import type { AuditEntry } from '../../operations/audit/entry.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { refusalsAt } from '../clients/client-authentication.ts'
import type { OAuthEvent } from './audit-events.ts'

export interface TokenRefusalParts {
  readonly audit: Audit<OAuthEvent>
  readonly limits: Pick<Limits, 'tryCount'>
}

/**
 * Writes an audit entry which says that a client presented a token of a different client. If the
 * client's IP address has exhausted its rate limit, writes no entry, so that an attacker cannot
 * fill the audit record.
 *
 * Does NOT refuse the request: the caller must refuse it. The caller must give the same answer even
 * if the rate limit is exhausted, because an answer of 429 would reveal that the token exists.
 */
export async function recordForeignToken(
  entry: Omit<AuditEntry<OAuthEvent>, 'at'>,
  { audit, limits }: TokenRefusalParts,
): Promise<void> {
  if (await limits.tryCount(refusalsAt(entry.by.address))) await audit.record(entry)
}
