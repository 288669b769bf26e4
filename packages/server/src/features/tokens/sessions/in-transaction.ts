// Functions that start and end sessions in a transaction of the caller. Other features use them so
// that one commit has both the change of the account, such as a new password, and the start or end
// of the sessions.

import type { Expression, ExpressionBuilder, Kysely, SelectQueryBuilder, SqlBool } from 'kysely'
import type { JsonObject } from 'keystile/internal'
import { inTables, lockRows, type Transaction } from '../../../storage/database.ts'
import { prepare, type Slots } from '../../../storage/prepared.ts'
import { announceEvent } from '../../operations/app-events/in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { endAllAttempts, endAttempts } from '../../sign-in/attempts/in-transaction.ts'
import { insertEvents } from '../events/in-transaction.ts'
import type { SessionEvent } from './audit-events.ts'
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

interface ActiveAt {
  readonly subject: string
  readonly now: number
}

/**
 * Selects the subject's active sessions: sessions that have not ended and have a valid access token
 * or refresh token.
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

/**
 * Ends all sessions of a subject except the session `except`, and inserts the events that revoke
 * their tokens. Does NOT write an audit entry: the caller knows the reason and must write the
 * entry.
 *
 * @returns the number of ended sessions
 */
export async function endSessions(
  transaction: Transaction,
  {
    subject,
    except,
    now,
  }: { readonly subject: string; readonly except?: string | undefined; readonly now: number },
): Promise<number> {
  // An attempt that has proved the old password must not become a session either.
  await endAttempts(transaction, subject)

  const all = inTables<SessionTables>(transaction)
    .selectFrom('session')
    .select('id')
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .limit(maxValues)
  const open = except === undefined ? all : all.where('id', '!=', except)

  let count = 0
  for (;;) {
    const rows = await open.execute()
    if (rows.length === 0) return count
    // A step-up may just have replaced one of these sessions. The next read finds the new session.
    const ids = rows.map(({ id }) => id)
    count += (await endSessionRows(transaction, ids, now)).length
  }
}

/**
 * Ends the sessions of all subjects, and inserts the events that revoke their tokens. Does NOT
 * write an audit entry: the caller knows the reason and must write the entry.
 *
 * @returns the number of ended sessions
 */
export async function endAllSessions(transaction: Transaction, now: number): Promise<number> {
  await endAllAttempts(transaction)
  let count = 0
  for (let last = ''; ;) {
    const rows = await inTables<SessionTables>(transaction)
      .selectFrom('session')
      .select('id')
      .where('ended_at', 'is', null)
      .where('id', '>', last) // each read begins behind the sessions that have just ended
      .orderBy('id')
      .limit(maxValues)
      .execute()
    const ids = rows.map(({ id }) => id)
    const end = ids.at(-1)
    if (end === undefined) return count
    count += (await endSessionRows(transaction, ids, now)).length
    last = end
  }
}

/**
 * The largest number of values in one SQL statement, well below the parameter limits of SQLite and
 * PostgreSQL.
 */
const maxValues = 500

/**
 * Ends the given sessions that have not ended yet, and inserts the events that revoke their tokens.
 * If `subject` is given, ends only sessions of that subject: a session id from a request must never
 * end another user's session.
 *
 * @returns the sessions that this call ended
 */
export async function endSessionRows(
  transaction: Transaction,
  ids: readonly string[],
  now: number,
  subject?: string,
): Promise<readonly Pick<SessionRow, 'id' | 'subject' | 'client_id'>[]> {
  const db = inTables<SessionTables>(transaction)
  // Locks rows in the order of their ids, so that two transactions cannot deadlock.
  // test/faults/lock-order.test.ts fails without this lock.
  if (ids.length > 1)
    await lockRows(
      transaction,
      db.selectFrom('session').select('id').where('id', 'in', ids).orderBy('id'),
    )

  const query = db
    .updateTable('session')
    // Also sets `idle_expires_at`, so that housekeeping may delete the session as soon as its last
    // access token has expired. With an earlier time, housekeeping would read it too early.
    .set((row) => ({
      ended_at: now,
      idle_expires_at: row
        .case()
        .when('tokens_expire_at', '>', now)
        .then(row.ref('tokens_expire_at'))
        .else(row.val(now)) // a number would be part of the text, which is then prepared each time
        .end(),
    }))
    .where('id', 'in', ids)
    .where('ended_at', 'is', null)
  const ended = await (subject === undefined ? query : query.where('subject', '=', subject))
    .returning(['id', 'subject', 'client_id', 'tokens_expire_at'])
    .execute()

  await insertEvents(
    transaction,
    ended.map(({ id, tokens_expire_at }) => ({
      kind: 'session',
      value: id,
      tokensExpireAt: tokens_expire_at,
    })),
    now,
  )
  await announceEvent(
    transaction,
    ...ended.map(({ id, subject: owner, client_id: clientId }) => ({
      type: 'session_ended' as const,
      subject: owner,
      sessionId: id,
      clientId,
      at: new Date(now),
    })),
  )
  return ended
}

/**
 * Whether the session has ended in which a user changes the own account. The check of the route is
 * not enough: another process may have ended the session a moment ago. Lock the user first, as
 * whatever ends all sessions of a changed account does.
 */
export async function hasSessionEnded(
  transaction: Transaction,
  { subject, by }: { readonly subject: string; readonly by: By },
): Promise<boolean> {
  if (by.actor !== `user:${subject}` || by.sessionId === undefined) return false
  const active = await inTables<SessionTables>(transaction)
    .selectFrom('session')
    .select('id')
    .where('id', '=', by.sessionId)
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return active === undefined
}

/**
 * Locks a session until the end of the transaction that replaces it. Returns undefined if it is not
 * an active session of this subject.
 */
export async function lockSession(
  transaction: Transaction,
  { id, subject, now }: Pick<SessionRow, 'id' | 'subject'> & { readonly now: number },
): Promise<Pick<SessionRow, 'created_at'> | undefined> {
  return inTables<SessionTables>(transaction)
    .updateTable('session')
    .set((row) => ({ last_used_at: row.ref('last_used_at') }))
    .where('id', '=', id)
    .where('subject', '=', subject)
    .where(isActive(now))
    .returning('created_at')
    .executeTakeFirst()
}

/** Whether a session has not ended, and has a valid access token or refresh token. */
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

/**
 * Returns when the subject's last access token expires, in milliseconds. Returns 0 if the subject
 * has no sessions.
 */
export async function findLatestExpiry(transaction: Transaction, subject: string): Promise<number> {
  const { latest } = await inTables<SessionTables>(transaction)
    .selectFrom('session')
    .select((row) => row.fn.max('tokens_expire_at').as('latest'))
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow()
  return latest ?? 0
}
