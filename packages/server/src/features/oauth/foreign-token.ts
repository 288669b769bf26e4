import type { Audit } from '../audit/audit.ts'
import type { AuditEntry } from '../audit/entry.ts'
import { refusalAt } from '../clients/client-authentication.ts'
import type { Limits } from '../limits/limits.ts'
import type { OAuthEvent } from './audit-events.ts'

/** The services that record a refusal. */
export interface TokenRefusalParts {
  readonly audit: Audit<OAuthEvent>
  readonly limits: Pick<Limits, 'tryCount'>
}

/**
 * Records that a client presented a token of another client. Beyond the rate limit of the client's
 * address it records nothing, so that an attacker cannot fill the audit record.
 *
 * Does NOT refuse the request: the caller does. Beyond the limit the answer must stay the same,
 * because a 429 would reveal that the token exists.
 */
export async function recordForeignToken(
  entry: Omit<AuditEntry<OAuthEvent>, 'at'>,
  { audit, limits }: TokenRefusalParts,
): Promise<void> {
  if (await limits.tryCount([refusalAt(entry.by.address)])) await audit.record(entry)
}
