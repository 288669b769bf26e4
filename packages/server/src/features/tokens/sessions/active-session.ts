import { inTables, type Database, type Reader } from '../../../storage/database.ts'
import { isActive } from './in-transaction.ts'
import { idleExpiryAt, type Lifetimes } from './lifetimes.ts'
import { parseAmr } from './refresh-store.ts'
import { extendSession } from './store.ts'
import type { SessionTables } from './tables.ts'

/** An active session, for a step-up that replaces it, and for the pages that a browser opens. */
export interface ActiveSession {
  readonly subject: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** How the person authenticated (RFC 8176 §2); undefined if that is unknown. */
  readonly amr: readonly string[] | undefined
  readonly authenticatedAt: number
  readonly expiresAt: number
  readonly lastUsedAt: number
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
      scopes: JSON.parse(row.scopes) as readonly string[],
      amr: parseAmr(row.amr),
      authenticatedAt: row.authenticated_at ?? row.created_at,
      expiresAt: row.expires_at,
      lastUsedAt: row.last_used_at,
    }
  )
}

/** A session that was used within this time is not extended again. */
const unextendedMilliseconds = 60_000

/** Finds an active session that lasts without a refresh token, and extends it. */
export async function useActiveSession(
  database: Pick<Database, 'reader' | 'write'>,
  {
    id,
    now,
    lifetimes,
  }: { readonly id: string; readonly now: number; readonly lifetimes: Lifetimes },
): Promise<ActiveSession | undefined> {
  const found = await findActiveSession(database.reader, { id, now })
  if (found && found.lastUsedAt <= now - unextendedMilliseconds)
    await database.write(extendSession, {
      id,
      idleExpiresAt: idleExpiryAt(now, found.expiresAt, lifetimes),
      now,
    })
  return found
}
