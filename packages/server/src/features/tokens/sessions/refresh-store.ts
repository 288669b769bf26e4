// Uses refresh tokens in the database. `refresh-rule.ts` decides what a use means; this file locks
// and extends the session, reads the state for that decision, and writes the result.

import {
  command,
  inTables,
  type Command,
  type Reader,
  type Transaction,
} from '../../../storage/database.ts'
import { prepare } from '../../../storage/prepared.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { parseAmr } from './amr.ts'
import type { SessionEvent } from './audit-events.ts'
import { endSessionRows } from './in-transaction.ts'
import { accessTokenSecondsAt, type Lifetimes } from './lifetimes.ts'
import { decideRefresh } from './refresh-rule.ts'
import { insertRefreshToken, type NewRefreshToken } from './start-in-transaction.ts'
import type { RefreshTokenRow, SessionRow, SessionTables } from './tables.ts'

export type FoundRefreshToken = Pick<RefreshTokenRow, 'session_id' | 'secret_hash'> &
  Pick<SessionRow, 'subject' | 'client_id' | 'scopes'> & {
    readonly successor_used_at: number | null
  }

/**
 * Finds a refresh token by its id. Does NOT check the secret, or whether the token can still be
 * used.
 */
export function findRefreshToken(
  reader: Reader,
  id: string,
): Promise<FoundRefreshToken | undefined> {
  return inTables<SessionTables>(reader)
    .selectFrom('refresh_token')
    .innerJoin('session', 'session.id', 'refresh_token.session_id')
    .leftJoin('refresh_token as successor', 'successor.id', 'refresh_token.successor_id')
    .select(['refresh_token.session_id', 'refresh_token.secret_hash'])
    .select(['subject', 'client_id', 'session.scopes'])
    .select('successor.used_at as successor_used_at')
    .where('refresh_token.id', '=', id)
    .executeTakeFirst()
}

/** The refresh token that was presented, and the successor to store if the token is rotated. */
export interface RefreshTokenUse extends NewRefreshToken {
  readonly successor: NewRefreshToken & { readonly sealed: string }
  readonly lifetimes: Lifetimes
  readonly by: By
  readonly now: number
}

interface Refreshed {
  readonly expiresInSeconds: number
  readonly authenticatedAt: number
  readonly amr: readonly string[] | undefined
}

export type RefreshTokenUsed =
  | (Refreshed & { readonly outcome: 'rotated' })
  | (Refreshed & { readonly outcome: 'repeated'; readonly sealedSuccessor: string })
  /** The token was reused, so this use ended the session. */
  | { readonly outcome: 'reused' }
  /** The token does not exist, or its session had ended or expired before. */
  | { readonly outcome: 'over' }

/**
 * Uses a refresh token. If several callers use tokens of one session at the same time, the uses run
 * one after the other: the first statement locks and extends the session, and the second statement
 * reads the token under this lock. So each use sees what the previous use wrote. A transaction that
 * ends a session takes the same lock. So a use cannot issue a token while another transaction ends
 * the session.
 */
export const useRefreshToken: Command<RefreshTokenUse, RefreshTokenUsed> = command(
  'useRefreshToken',
  async (transaction, use): Promise<RefreshTokenUsed> => {
    const { id, secretHash, now, lifetimes } = use
    const [session] = await takeSession(transaction, {
      id,
      secretHash,
      now,
      inASecond: now + 1000,
      idleUntil: now + lifetimes.idleSeconds * 1000,
      tokensUntil: now + lifetimes.accessTokenSeconds * 1000,
    })
    const [token] = session ? await readToken(transaction, { id }) : []
    if (!session || !token) return { outcome: 'over' }

    const refreshed = {
      expiresInSeconds: accessTokenSecondsAt(now, session.expires_at, lifetimes),
      authenticatedAt: session.authenticated_at ?? session.created_at,
      amr: parseAmr(session.amr),
    }
    const repeatableUntil = now + lifetimes.graceSeconds * 1000
    const decision = decideRefresh({
      now,
      graceSeconds: lifetimes.graceSeconds,
      usedAt: token.used_at,
      repeatableUntil: token.repeatable_until,
      successorIsUsed: token.successor_used_at !== null,
      lateRetryAt: session.late_retry_at,
    })

    switch (decision) {
      case 'rotate':
        await rotate(transaction, session, { ...use, repeatableUntil })
        return { ...refreshed, outcome: 'rotated' }
      case 'repeat':
        return { ...refreshed, outcome: 'repeated', sealedSuccessor: sealedSuccessorOf(token) }
      case 'late-retry':
        await allowRepeats(transaction, { id, repeatableUntil })
        await noteLateRetry(transaction, { id: session.id, now })
        return { ...refreshed, outcome: 'repeated', sealedSuccessor: sealedSuccessorOf(token) }
      case 'reuse':
        break
    }
    await endReused(transaction, session, use)
    return { outcome: 'reused' }
  },
)

function sealedSuccessorOf({ sealed_successor: sealed }: ReadToken): string {
  if (sealed === null)
    throw new Error(
      'a used refresh token must keep its encrypted successor until the successor is used',
    )
  return sealed
}

/**
 * Ends the session of a reused token, so that both callers, the attacker and the owner, must log in
 * again.
 */
async function endReused(
  transaction: Transaction,
  { id, subject, client_id: clientId }: SessionRow,
  { by, now }: RefreshTokenUse,
): Promise<void> {
  await endSessionRows(transaction, [id], now)
  await insertAudit<SessionEvent>(transaction, {
    event: 'refresh_reused',
    at: now,
    by,
    subject,
    sessionId: id,
    clientId,
  })
}

async function rotate(
  transaction: Transaction,
  session: SessionRow,
  { id, successor, repeatableUntil, now }: RefreshTokenUse & { readonly repeatableUntil: number },
): Promise<void> {
  await insertRefreshToken(transaction, successor, { sessionId: session.id, now })
  await markUsed(transaction, {
    id,
    successorId: successor.id,
    sealed: successor.sealed,
    repeatableUntil,
    now,
  })
  // Deletes the encrypted copy of this token. Otherwise an attacker with one old token and a copy
  // of the database could decrypt all successors of that token, one after the other.
  await deleteSealedCopy(transaction, { id })
}

/**
 * Locks the session of a token, extends the session as a refresh does, and returns it. Returns no
 * row if the session has ended or expired. Also returns no row if the session expires in less than
 * one second. The lifetime of an access token is rounded down to whole seconds, so a new token
 * would have the lifetime 0.
 *
 * The statement is an update, so it takes a lock, which both databases hold until the commit. It
 * extends the session before the caller has decided whether to refresh it, because one update costs
 * PostgreSQL much less than two. If the caller ends the session instead, its row and its revocation
 * are stored longer than necessary, by up to the lifetime of an access token.
 */
const takeSession = prepare<
  SessionTables,
  {
    readonly id: string
    readonly secretHash: string
    readonly now: number
    readonly inASecond: number
    readonly idleUntil: number
    readonly tokensUntil: number
  },
  SessionRow
>((db, { id, secretHash, now, inASecond, idleUntil, tokensUntil }) =>
  db
    .updateTable('session')
    .set((row) => ({
      last_used_at: now,
      idle_expires_at: row
        .case()
        .when('expires_at', '<', idleUntil)
        .then(row.ref('expires_at'))
        .else(idleUntil)
        .end(),
      // A token expires at a whole second, so this time can be up to a second too late.
      tokens_expire_at: row
        .case()
        .when('tokens_expire_at', '>', tokensUntil)
        .then(row.ref('tokens_expire_at'))
        .when('expires_at', '<', tokensUntil)
        .then(row.ref('expires_at'))
        .else(tokensUntil)
        .end(),
    }))
    .where('id', '=', (from) =>
      from
        .selectFrom('refresh_token')
        .select('session_id')
        .where('id', '=', id)
        .where('secret_hash', '=', secretHash),
    )
    .where('ended_at', 'is', null)
    .where('expires_at', '>=', inASecond)
    .where('idle_expires_at', '>', now)
    .returningAll(),
)

type ReadToken = Pick<RefreshTokenRow, 'used_at' | 'repeatable_until' | 'sealed_successor'> & {
  readonly successor_used_at: number | null
}

/**
 * Reads a token and the time at which its successor was used. Call it only while the session is
 * locked.
 */
const readToken = prepare<SessionTables, { readonly id: string }, ReadToken>((db, { id }) =>
  db
    .selectFrom('refresh_token as token')
    .leftJoin('refresh_token as successor', 'successor.id', 'token.successor_id')
    .select(['token.used_at', 'token.repeatable_until', 'token.sealed_successor'])
    .select('successor.used_at as successor_used_at')
    .where('token.id', '=', id),
)

/** Marks a token as used and stores its encrypted successor. */
const markUsed = prepare<
  SessionTables,
  {
    readonly id: string
    readonly successorId: string
    readonly sealed: string
    readonly repeatableUntil: number
    readonly now: number
  },
  unknown
>((db, { id, successorId, sealed, repeatableUntil, now }) =>
  db
    .updateTable('refresh_token')
    .set({
      used_at: now,
      successor_id: successorId,
      sealed_successor: sealed,
      repeatable_until: repeatableUntil,
    })
    .where('id', '=', id)
    .where('used_at', 'is', null),
)

/** Starts a new grace period for a used token. */
const allowRepeats = prepare<
  SessionTables,
  { readonly id: string; readonly repeatableUntil: number },
  unknown
>((db, { id, repeatableUntil }) =>
  db.updateTable('refresh_token').set({ repeatable_until: repeatableUntil }).where('id', '=', id),
)

/** Deletes the encrypted copy of a token in the row of its predecessor. */
const deleteSealedCopy = prepare<SessionTables, { readonly id: string }, unknown>((db, { id }) =>
  db.updateTable('refresh_token').set({ sealed_successor: null }).where('successor_id', '=', id),
)

/** Stores the time at which a session accepted a used token after the grace period. */
const noteLateRetry = prepare<
  SessionTables,
  { readonly id: string; readonly now: number },
  unknown
>((db, { id, now }) => db.updateTable('session').set({ late_retry_at: now }).where('id', '=', id))
