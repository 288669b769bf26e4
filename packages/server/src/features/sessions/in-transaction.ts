import type { Kysely, SelectQueryBuilder } from 'kysely'
import { inTables, lockRows, type Transaction } from '../../storage/database.ts'
import { prepare, type Slots } from '../../storage/prepared.ts'
import type { By } from '../audit/entry.ts'
import { insertAudit } from '../audit/in-transaction.ts'
import { insertEvents } from '../events/in-transaction.ts'
import type { SessionEvent } from './audit-events.ts'
import type { RefreshTokenRow, SessionRow, SessionTables } from './tables.ts'

/** A session that is to be started. */
export interface NewSession {
  readonly session: Omit<SessionRow, 'ended_at' | 'last_used_at' | 'late_retry_at'>
  /** None for a client that may not refresh. */
  readonly refreshToken: NewRefreshToken | undefined
  readonly by: By
}

export interface NewRefreshToken {
  readonly id: string
  readonly secretHash: string
}

/** Starts a session as part of a transaction, with its first refresh token and its audit entry. */
export async function startSession(
  transaction: Transaction,
  { session, refreshToken, by }: NewSession,
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
  })
  await endSurplusSessions(transaction, { subject, newest: id, by, now })
}

const insertSessionRow = prepare<SessionTables, NewSession['session'], unknown>((db, session) =>
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
  }),
)

/**
 * So many devices nobody has; more are logins that were forgotten, or a program that logs in for
 * each request.
 */
const maxSessionsOfSubject = 100

/** Ends the sessions of a subject that were used longest ago, as many as there are too many. */
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

const findSurplus = prepare<SessionTables, Living & { readonly newest: string }, SessionRow>(
  (db, { subject, newest, now }) =>
    selectLiving(db, { subject, now })
      .where('id', '!=', newest)
      // Sessions that cannot be refreshed come last, so they never push out one that can.
      .orderBy((row) => row.case().when('idle_expires_at', '>', now).then(0).else(1).end())
      .orderBy('last_used_at', 'desc')
      .limit(maxValues)
      .offset(maxSessionsOfSubject - 1),
)

interface Living {
  readonly subject: string
  readonly now: number
}

/** The sessions of a subject that have a valid access token, or can still be refreshed. */
export function selectLiving(
  db: Kysely<SessionTables>,
  { subject, now }: Living | Slots<Living>,
): SelectQueryBuilder<SessionTables, 'session', SessionRow> {
  return db
    .selectFrom('session')
    .selectAll()
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
    .where((row) => row.or([row('tokens_expire_at', '>', now), row('idle_expires_at', '>', now)]))
}

/** The next of a session, or its first. */
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
 * Ends the living sessions of a subject as part of a transaction, all or all but one, and says so
 * to every process. The audit record is left to whoever knows why.
 *
 * @returns how many those were
 */
export async function endSessions(
  transaction: Transaction,
  {
    subject,
    except,
    now,
  }: { readonly subject: string; readonly except?: string | undefined; readonly now: number },
): Promise<number> {
  const all = inTables<SessionTables>(transaction)
    .selectFrom('session')
    .select('id')
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
  const living = await (except === undefined ? all : all.where('id', '!=', except))
    .orderBy('id')
    .execute()
  const ids = living.map(({ id }) => id)
  for (let from = 0; from < ids.length; from += maxValues) {
    await endSessionRows(transaction, ids.slice(from, from + maxValues), now)
  }
  return ids.length
}

/** Statements take so many values on every database. */
const maxValues = 500

/** Ends those of these sessions that live, and inserts their events. @returns those */
export async function endSessionRows(
  transaction: Transaction,
  ids: readonly string[],
  now: number,
  subject?: string,
): Promise<readonly Pick<SessionRow, 'id' | 'subject' | 'client_id'>[]> {
  const db = inTables<SessionTables>(transaction)
  // In the order of their ids, so that two transactions cannot deadlock.
  if (ids.length > 1)
    await lockRows(
      transaction,
      db.selectFrom('session').select('id').where('id', 'in', ids).orderBy('id'),
    )

  const query = db
    .updateTable('session')
    // Nothing is left to wait for, but the last access token.
    .set({ ended_at: now, idle_expires_at: now })
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
  return ended
}

/** When the last token of a subject expires, in milliseconds; 0 when it has none. */
export async function findLatestExpiry(transaction: Transaction, subject: string): Promise<number> {
  const { latest } = await inTables<SessionTables>(transaction)
    .selectFrom('session')
    .select((row) => row.fn.max('tokens_expire_at').as('latest'))
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow()
  return latest ?? 0
}
