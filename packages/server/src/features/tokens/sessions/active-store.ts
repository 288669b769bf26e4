// The queries for active sessions.

import type { Expression, ExpressionBuilder, Kysely, SelectQueryBuilder, SqlBool } from 'kysely'
import { inTables, type Reader } from '../../../storage/database.ts'
import type { Slots } from '../../../storage/prepared.ts'
import type { SessionRow, SessionTables } from './tables.ts'

/** Lists the subject's active sessions, most recently used first. */
export function listSessionRows(
  reader: Reader,
  active: { readonly subject: string; readonly now: number },
): Promise<readonly SessionRow[]> {
  return selectActive(inTables<SessionTables>(reader), active)
    .orderBy('last_used_at', 'desc')
    .orderBy('id')
    .execute()
}

/** Finds a session that has neither ended nor expired. */
export function findActiveRow(
  reader: Reader,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<SessionRow | undefined> {
  return inTables<SessionTables>(reader)
    .selectFrom('session')
    .selectAll()
    .where('id', '=', id)
    .where(isActive(now))
    .executeTakeFirst()
}

/**
 * Whether a session has not ended, has a valid access token or refresh token, and can get a new
 * access token.
 */
export function isActive(
  now: number,
): (row: ExpressionBuilder<SessionTables, 'session'>) => Expression<SqlBool> {
  return (row) =>
    row.and([
      row('ended_at', 'is', null),
      // The lifetime of an access token is rounded down, so a later one would have the lifetime 0.
      row('expires_at', '>=', now + 1000),
      row.or([row('tokens_expire_at', '>', now), row('idle_expires_at', '>', now)]),
    ])
}

export interface ActiveAt {
  readonly subject: string
  readonly now: number
}

/**
 * Selects the subject's active sessions. Includes a session that expires within a second, unlike
 * `isActive`: it can get no new access token, but its last one may still be valid.
 */
export function selectActive(
  db: Kysely<SessionTables>,
  { subject, now }: ActiveAt | Slots<ActiveAt>,
): SelectQueryBuilder<SessionTables, 'session', SessionRow> {
  return db
    .selectFrom('session')
    .selectAll()
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
    .where((row) => row.or([row('tokens_expire_at', '>', now), row('idle_expires_at', '>', now)]))
}
