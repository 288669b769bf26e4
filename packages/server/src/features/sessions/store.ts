import type { Kysely, Selectable, SelectQueryBuilder, Transaction } from 'kysely'
import { command, hasRowLocks, type AnyCommand, type Command } from '../../storage/database.ts'
import type { RefreshTokenRow, SessionRow, Tables } from '../../storage/tables.ts'
import type { By } from '../audit/entry.ts'
import { insertAudit } from '../audit/store.ts'
import { insertEvents } from '../events/store.ts'
import { restoreUses, type Use } from '../limits/store.ts'
import { accessTokenSecondsAt, idleExpiryAt, type Lifetimes } from './lifetimes.ts'
import { decideRefresh } from './refresh-rule.ts'

export interface NewSessionRow {
  readonly session: Omit<SessionRow, 'ended_at' | 'last_used_at' | 'late_retry_at'>
  readonly refreshToken: NewRefreshToken | undefined
  /** Whose account is not ours has no row here. */
  readonly hasAccount: boolean
  /** The hash that the password was proved against; without one, the application has proved who it is. */
  readonly passwordHash: string | undefined
  /** What the login was counted as, before it was known to be no guess. */
  readonly uses: readonly Use[]
  readonly by: By
}

interface NewRefreshToken {
  readonly id: string
  readonly secretHash: string
}

/**
 * Starts the session of a login, with its first refresh token where it gets one, unless the user was disabled, deleted or given another
 * password since the password was proved: the row of their account is taken first, so one of the two comes before the
 * other, on both databases.
 */
export const insertSession: Command<NewSessionRow, { readonly started: boolean }> = command(
  'insertSession',
  async (transaction, { session, refreshToken, hasAccount, passwordHash, uses, by }) => {
    if (hasAccount && !(await takeAccount(transaction, session.subject, passwordHash))) return { started: false }
    const { id, subject, client_id: clientId, created_at: now } = session
    await transaction
      .insertInto('session')
      .values({ ...session, last_used_at: now, late_retry_at: null, ended_at: null })
      .execute()
    if (refreshToken) await insertRefreshToken(transaction, refreshToken, { sessionId: id, now })
    await insertAudit(transaction, { event: 'login', at: now, by, subject, sessionId: id, clientId })
    await endSurplusSessions(transaction, { subject, newest: id, by, now })
    await restoreUses(transaction, uses)
    return { started: true }
  },
)

/** So many devices nobody has; more are logins that were forgotten, or a program that logs in for each request. */
const maxSessionsOfSubject = 100

/** Ends the sessions of a subject that were used longest ago, as many as there are too many. */
async function endSurplusSessions(
  transaction: Transaction<Tables>,
  {
    subject,
    newest,
    by,
    now,
  }: { readonly subject: string; readonly newest: string; readonly by: By; readonly now: number },
): Promise<void> {
  const surplus = await selectLiving(transaction, { subject, now })
    .where('id', '!=', newest)
    // Those that no refresh continues are over soon, and drive nobody's out that is to last.
    .orderBy((row) => row.case().when('idle_expires_at', '>', now).then(0).else(1).end())
    .orderBy('last_used_at', 'desc')
    .limit(maxValues)
    .offset(maxSessionsOfSubject - 1)
    .execute()
  if (surplus.length === 0) return
  const ids = surplus.map(({ id }) => id)
  for (const { id, client_id: clientId } of await endSessionRows(transaction, ids, now))
    await insertAudit(transaction, { event: 'session_ended', at: now, by, subject, sessionId: id, clientId })
}

/** The sessions of a subject under which something can still be opened or refreshed. */
function selectLiving(
  reader: Kysely<Tables>,
  { subject, now }: { readonly subject: string; readonly now: number },
): SelectQueryBuilder<Tables, 'session', SessionRow> {
  return reader
    .selectFrom('session')
    .selectAll()
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
    .where((row) => row.or([row('tokens_expire_at', '>', now), row('idle_expires_at', '>', now)]))
}

/** Locks an account that may come in, with this password where one is named. */
async function takeAccount(
  transaction: Transaction<Tables>,
  subject: string,
  passwordHash: string | undefined,
): Promise<boolean> {
  const taken = await transaction
    .updateTable('user')
    .set((row) => ({ password_hash: row.ref('password_hash') }))
    .where('id', '=', subject)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .$if(passwordHash !== undefined, (query) => query.where('password_hash', '=', passwordHash!))
    .returning('id')
    .executeTakeFirst()
  return taken !== undefined
}

async function insertRefreshToken(
  transaction: Transaction<Tables>,
  { id, secretHash }: NewRefreshToken,
  { sessionId, now }: { readonly sessionId: string; readonly now: number },
): Promise<void> {
  const unused = { used_at: null, successor_id: null, sealed_successor: null, repeatable_until: null }
  await transaction
    .insertInto('refresh_token')
    .values({ id, session_id: sessionId, secret_hash: secretHash, created_at: now, ...unused })
    .execute()
}

/** A refresh token with whose it is. */
export type FoundRefreshToken = Pick<RefreshTokenRow, 'session_id' | 'secret_hash'> &
  Pick<SessionRow, 'subject' | 'client_id' | 'scopes'>

export function findRefreshToken(reader: Kysely<Tables>, id: string): Promise<FoundRefreshToken | undefined> {
  return reader
    .selectFrom('refresh_token')
    .innerJoin('session', 'session.id', 'refresh_token.session_id')
    .select(['session_id', 'secret_hash', 'subject', 'client_id', 'session.scopes'])
    .where('refresh_token.id', '=', id)
    .executeTakeFirst()
}

/** A refresh token that is shown, and the successor that it gets if it is to have one. */
export interface RefreshTokenUse extends NewRefreshToken {
  readonly successor: NewRefreshToken & { readonly sealed: string }
  readonly lifetimes: Lifetimes
  readonly by: By
  readonly now: number
}

interface Refreshed {
  /** Life of the access token that may be issued. */
  readonly expiresInSeconds: number
  readonly authenticatedAt: number
}

export type RefreshTokenUsed =
  | (Refreshed & { readonly outcome: 'rotated' })
  | (Refreshed & { readonly outcome: 'repeated'; readonly sealedSuccessor: string })
  /** The session is ended by this. */
  | { readonly outcome: 'reused' }
  /** There is no such token, or its session was over before. */
  | { readonly outcome: 'over' }

/**
 * Uses a refresh token: one of two that show it at once comes first, and neither comes between an end of the session and
 * its event. So the row of the session is taken in one statement, and only then, in another, which sees what the last
 * holder of that lock has written, the token is read.
 */
export const useRefreshToken: Command<RefreshTokenUse, RefreshTokenUsed> = command(
  'useRefreshToken',
  async (transaction, use): Promise<RefreshTokenUsed> => {
    const { now, lifetimes } = use
    const session = await takeSession(transaction, use)
    if (!session) return { outcome: 'over' }
    const token = await transaction
      .selectFrom('refresh_token as token')
      .leftJoin('refresh_token as successor', 'successor.id', 'token.successor_id')
      .select(['token.used_at', 'token.repeatable_until', 'token.sealed_successor'])
      .select('successor.used_at as successor_used_at')
      .where('token.id', '=', use.id)
      .executeTakeFirstOrThrow()
    const decision = decideRefresh({
      now,
      graceSeconds: lifetimes.graceSeconds,
      usedAt: token.used_at,
      repeatableUntil: token.repeatable_until,
      successorIsUsed: token.successor_used_at !== null,
      lateRetryAt: session.late_retry_at,
    })
    if (decision === 'reuse') {
      await endSessionRows(transaction, [session.id], now)
      await insertAudit(transaction, {
        event: 'refresh_reused',
        at: now,
        by: use.by,
        subject: session.subject,
        sessionId: session.id,
        clientId: session.client_id,
      })
      return { outcome: 'reused' }
    }
    const repeatableUntil = now + lifetimes.graceSeconds * 1000
    if (decision === 'rotate') {
      await insertRefreshToken(transaction, use.successor, { sessionId: session.id, now })
      await transaction
        .updateTable('refresh_token')
        .set({
          used_at: now,
          successor_id: use.successor.id,
          sealed_successor: use.successor.sealed,
          repeatable_until: repeatableUntil,
        })
        .where('id', '=', use.id)
        .where('used_at', 'is', null)
        .execute()
      // Nobody is given this one again, so nobody with an old token and a copy of the database comes from link to link.
      await transaction
        .updateTable('refresh_token')
        .set({ sealed_successor: null })
        .where('successor_id', '=', use.id)
        .execute()
    } else if (decision === 'late-retry') {
      await transaction
        .updateTable('refresh_token')
        .set({ repeatable_until: repeatableUntil })
        .where('id', '=', use.id)
        .execute()
    }
    const expiresInSeconds = accessTokenSecondsAt(now, session.expires_at, lifetimes)
    await transaction
      .updateTable('session')
      .set({
        idle_expires_at: idleExpiryAt(now, session.expires_at, lifetimes),
        tokens_expire_at: Math.max(session.tokens_expire_at, now + expiresInSeconds * 1000),
        ...(decision === 'late-retry' && { late_retry_at: now }),
      })
      .where('id', '=', session.id)
      .execute()
    const refreshed = { expiresInSeconds, authenticatedAt: session.created_at }
    return decision === 'rotate'
      ? { ...refreshed, outcome: 'rotated' }
      : { ...refreshed, outcome: 'repeated', sealedSuccessor: token.sealed_successor! }
  },
)

/** Locks the session of a token that is not over, and for a second more will not be. */
function takeSession(
  transaction: Transaction<Tables>,
  { id, secretHash, now }: RefreshTokenUse,
): Promise<Selectable<SessionRow> | undefined> {
  return transaction
    .updateTable('session')
    .set({ last_used_at: now })
    .where('id', '=', (from) =>
      from.selectFrom('refresh_token').select('session_id').where('id', '=', id).where('secret_hash', '=', secretHash),
    )
    .where('ended_at', 'is', null)
    .where('expires_at', '>=', now + 1000)
    .where('idle_expires_at', '>', now)
    .returningAll()
    .executeTakeFirst()
}

/** The living sessions of a subject, the last used first. Those of a client that was disabled are not. */
export function listSessionRows(
  reader: Kysely<Tables>,
  living: { readonly subject: string; readonly now: number },
): Promise<readonly SessionRow[]> {
  return selectLiving(reader, living)
    .where('client_id', 'not in', (from) =>
      from.selectFrom('client').select('client.id').where('disabled_at', 'is not', null),
    )
    .orderBy('last_used_at', 'desc')
    .orderBy('id')
    .execute()
}

/** Ends one session, of this subject where one is named. */
export const endSession: Command<
  { readonly id: string; readonly subject: string | undefined; readonly by: By; readonly now: number },
  { readonly ended: boolean }
> = command('endSession', async (transaction, { id, subject, by, now }) => {
  const [ended] = await endSessionRows(transaction, [id], now, subject)
  if (!ended) return { ended: false }
  await insertAudit(transaction, {
    event: 'session_ended',
    at: now,
    by,
    subject: ended.subject,
    sessionId: id,
    clientId: ended.client_id,
  })
  return { ended: true }
})

/** Ends all sessions of a subject. */
export const endSessionsOf: Command<{ readonly subject: string; readonly by: By; readonly now: number }, void> =
  command('endSessionsOf', async (transaction, { subject, by, now }) => {
    const ended = await endSessions(transaction, { subject, now })
    if (ended > 0) await insertAudit(transaction, { event: 'sessions_ended', at: now, by, subject })
  })

/**
 * Ends the living sessions of a subject as part of a transaction, all or all but one, and says so to every process. The
 * audit record is left to whoever knows why.
 *
 * @returns how many those were
 */
export async function endSessions(
  transaction: Transaction<Tables>,
  { subject, except, now }: { readonly subject: string; readonly except?: string | undefined; readonly now: number },
): Promise<number> {
  const living = await transaction
    .selectFrom('session')
    .select('id')
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
    .$if(except !== undefined, (query) => query.where('id', '!=', except!))
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
async function endSessionRows(
  transaction: Transaction<Tables>,
  ids: readonly string[],
  now: number,
  subject?: string,
): Promise<readonly Pick<SessionRow, 'id' | 'subject' | 'client_id'>[]> {
  // Two that end the same sessions take them in one order.
  if (ids.length > 1 && hasRowLocks(transaction))
    await transaction.selectFrom('session').select('id').where('id', 'in', ids).orderBy('id').forUpdate().execute()
  const ended = await transaction
    .updateTable('session')
    // Nothing is left to wait for, but the last access token.
    .set({ ended_at: now, idle_expires_at: now })
    .where('id', 'in', ids)
    .where('ended_at', 'is', null)
    .$if(subject !== undefined, (query) => query.where('subject', '=', subject!))
    .returning(['id', 'subject', 'client_id', 'tokens_expire_at'])
    .execute()
  await insertEvents(
    transaction,
    ended.map(({ id, tokens_expire_at }) => ({ kind: 'session', value: id, tokensExpireAt: tokens_expire_at })),
    now,
  )
  return ended
}

/** When the last token of a subject expires, in milliseconds; 0 when it has none. */
export async function findLatestExpiry(transaction: Transaction<Tables>, subject: string): Promise<number> {
  const { latest } = await transaction
    .selectFrom('session')
    .select((row) => row.fn.max('tokens_expire_at').as('latest'))
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow()
  return latest ?? 0
}

export const commands: readonly AnyCommand[] = [insertSession, useRefreshToken, endSession, endSessionsOf]
