import { inTables, type Reader } from '../../../storage/database.ts'
import { isActive } from './in-transaction.ts'
import { parseAmr } from './refresh-store.ts'
import type { SessionTables } from './tables.ts'

/** An active session, for a step-up that replaces it. */
export interface ActiveSession {
  readonly subject: string
  readonly clientId: string
  /** How the person authenticated (RFC 8176 §2); undefined if that is unknown. */
  readonly amr: readonly string[] | undefined
  readonly authenticatedAt: number
  readonly expiresAt: number
}

export async function findActiveSession(
  reader: Reader,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<ActiveSession | undefined> {
  const row = await inTables<SessionTables>(reader)
    .selectFrom('session')
    .selectAll()
    .where('id', '=', id)
    .where(isActive(now))
    .executeTakeFirst()
  return (
    row && {
      subject: row.subject,
      clientId: row.client_id,
      amr: parseAmr(row.amr),
      authenticatedAt: row.authenticated_at ?? row.created_at,
      expiresAt: row.expires_at,
    }
  )
}
