import type { Audit } from '../audit/audit.ts'
import type { AuditEntry } from '../audit/entry.ts'
import { refusalAt } from '../clients/client-authentication.ts'
import type { Limits } from '../limits/limits.ts'
import type { OAuthEvent } from './audit-events.ts'

/** What is needed to record a refusal. */
export interface TokenRefusalParts {
  readonly audit: Audit<OAuthEvent>
  readonly limits: Pick<Limits, 'tryCount'>
}

/**
 * Records that a client showed a token of another client, unless its address has been refused too
 * often. Refuses nothing itself: beyond the limit the caller is answered as before, since 429 would
 * tell that the token exists.
 */
export async function recordForeignToken(
  entry: Omit<AuditEntry<OAuthEvent>, 'at'>,
  { audit, limits }: TokenRefusalParts,
): Promise<void> {
  if (await limits.tryCount([refusalAt(entry.by.address)])) await audit.record(entry)
}
