// One session while it is active. `session-ends.ts` lists and ends sessions.

import type { Database, Reader } from '../../../storage/database.ts'
import { findActiveRow } from './active-store.ts'
import { parseAmr } from './amr.ts'
import { idleExpiryAt, type Lifetimes } from './lifetimes.ts'
import { extendSession } from './store.ts'

/** An active session, for a step-up that replaces it, and for the pages that a browser opens. */
export interface ActiveSession {
  readonly subject: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** How the person authenticated (RFC 8176 §2); undefined if that is unknown. */
  readonly amr: readonly string[] | undefined
  readonly authenticatedAt: number
  readonly startedAt: number
  readonly expiresAt: number
  readonly lastUsedAt: number
}

export async function findActiveSession(
  reader: Reader,
  active: { readonly id: string; readonly now: number },
): Promise<ActiveSession | undefined> {
  const row = await findActiveRow(reader, active)
  return (
    row && {
      subject: row.subject,
      clientId: row.client_id,
      scopes: JSON.parse(row.scopes) as readonly string[],
      amr: parseAmr(row.amr),
      authenticatedAt: row.authenticated_at ?? row.created_at,
      startedAt: row.created_at,
      expiresAt: row.expires_at,
      lastUsedAt: row.last_used_at,
    }
  )
}

/** A session that was used within this time is not extended again: each extension is a write. */
const unextendedMilliseconds = 60_000

/**
 * Finds an active session, and extends it because it is used now. Only for a session without a
 * refresh token: the others are extended by a refresh.
 */
export async function extendActiveSession(
  database: Pick<Database, 'reader' | 'write'>,
  {
    id,
    now,
    lifetimes,
  }: { readonly id: string; readonly now: number; readonly lifetimes: Lifetimes },
): Promise<ActiveSession | undefined> {
  const found = await findActiveSession(database.reader, { id, now })
  if (!found || found.lastUsedAt > now - unextendedMilliseconds) return found

  const idleExpiresAt = idleExpiryAt(now, found.expiresAt, lifetimes)
  await database.write(extendSession, { id, idleExpiresAt, now })
  return found
}

/** How far the clock of another server may be ahead: the default of guards. */
const clockToleranceMilliseconds = 5_000

/**
 * Whether a login is recent enough. As for a guard, it is not if its time is in the future (RFC
 * 9470 §4). Otherwise it would count as recent as long as the clock of its server was ahead.
 */
export function isRecentLogin(
  { authenticatedAt }: Pick<ActiveSession, 'authenticatedAt'>,
  { maxAgeSeconds, now }: { readonly maxAgeSeconds: number; readonly now: number },
): boolean {
  const age = now - authenticatedAt
  return age >= -clockToleranceMilliseconds && age <= maxAgeSeconds * 1000
}
