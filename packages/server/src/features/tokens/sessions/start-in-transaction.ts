// Starts sessions in a transaction of the caller: in the command `startLogin` of
// features/sign-in/login.

import type { JsonObject } from 'keystile/internal'
import type { Transaction } from '../../../storage/database.ts'
import { prepare } from '../../../storage/prepared.ts'
import { announceEvent } from '../../operations/app-events/in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { selectActive, type ActiveAt } from './active-store.ts'
import type { SessionEvent } from './audit-events.ts'
import { endSessionRows, maxValues } from './in-transaction.ts'
import type { RefreshTokenRow, SessionRow, SessionTables } from './tables.ts'

/** What the database stores of a new session. */
export interface SessionRows {
  readonly session: Omit<SessionRow, 'ended_at' | 'last_used_at' | 'late_retry_at'>
  /** Undefined if the client is not allowed to refresh. */
  readonly refreshToken: NewRefreshToken | undefined
  readonly by: By
  /** See `AuditEntry.detail`. */
  readonly detail?: JsonObject | undefined
}

export interface NewRefreshToken {
  readonly id: string
  readonly secretHash: string
}

/**
 * Stores a session with its first refresh token and writes its audit entry. If the subject then has
 * too many sessions, ends the least recently used ones. Does NOT check that the subject may log in.
 */
export async function startSession(
  transaction: Transaction,
  { session, refreshToken, by, detail }: SessionRows,
): Promise<void> {
  const { id, subject, client_id: clientId, created_at: now } = session

  await insertSessionRow(transaction, session)
  if (refreshToken) await insertRefreshToken(transaction, refreshToken, { sessionId: id, now })

  await insertAudit<SessionEvent>(transaction, {
    event: 'login',
    at: now,
    by,
    subject,
    sessionId: id,
    clientId,
    detail,
  })
  await announceEvent(transaction, {
    type: 'logged_in',
    subject,
    sessionId: id,
    clientId,
    actor: by.actor,
    at: new Date(now),
  })

  await endSurplusSessions(transaction, { subject, newest: id, by, now })
}

const insertSessionRow = prepare<SessionTables, SessionRows['session'], unknown>((db, session) =>
  db.insertInto('session').values({
    id: session.id,
    subject: session.subject,
    client_id: session.client_id,
    scopes: session.scopes,
    device: session.device,
    created_at: session.created_at,
    last_used_at: session.created_at,
    expires_at: session.expires_at,
    idle_expires_at: session.idle_expires_at,
    tokens_expire_at: session.tokens_expire_at,
    late_retry_at: null,
    ended_at: null,
    amr: session.amr,
    authenticated_at: session.authenticated_at,
  }),
)

/**
 * The largest number of active sessions of one subject. One person has fewer devices. Sessions
 * beyond this number are forgotten logins, or come from a program that logs in for each request.
 * Without a limit, such a program would fill the database.
 */
const maxSessionsOfSubject = 100

/**
 * Ends the subject's least recently used sessions beyond `maxSessionsOfSubject`. Never ends the
 * newest session.
 */
async function endSurplusSessions(
  transaction: Transaction,
  {
    subject,
    newest,
    by,
    now,
  }: { readonly subject: string; readonly newest: string; readonly by: By; readonly now: number },
): Promise<void> {
  const surplus = await findSurplus(transaction, { subject, newest, now })
  if (surplus.length === 0) return

  const ids = surplus.map(({ id }) => id)
  for (const { id, client_id: clientId } of await endSessionRows(transaction, ids, now))
    await insertAudit<SessionEvent>(transaction, {
      event: 'session_ended',
      at: now,
      by,
      subject,
      sessionId: id,
      clientId,
    })
}

const findSurplus = prepare<SessionTables, ActiveAt & { readonly newest: string }, SessionRow>(
  (db, { subject, newest, now }) =>
    selectActive(db, { subject, now })
      .where('id', '!=', newest)
      // Puts sessions that can be refreshed first, so that short-lived sessions never evict them.
      .orderBy((row) => row.case().when('idle_expires_at', '>', now).then(0).else(1).end())
      .orderBy('last_used_at', 'desc')
      .limit(maxValues)
      .offset(maxSessionsOfSubject - 1),
)

export async function insertRefreshToken(
  transaction: Transaction,
  { id, secretHash }: NewRefreshToken,
  { sessionId, now }: { readonly sessionId: string; readonly now: number },
): Promise<void> {
  await insertRefreshTokenRow(transaction, {
    id,
    session_id: sessionId,
    secret_hash: secretHash,
    created_at: now,
  })
}

const insertRefreshTokenRow = prepare<
  SessionTables,
  Pick<RefreshTokenRow, 'id' | 'session_id' | 'secret_hash' | 'created_at'>,
  unknown
>((db, row) =>
  db.insertInto('refresh_token').values({
    id: row.id,
    session_id: row.session_id,
    secret_hash: row.secret_hash,
    created_at: row.created_at,
    used_at: null,
    successor_id: null,
    sealed_successor: null,
    repeatable_until: null,
  }),
)
