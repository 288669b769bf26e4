// Functions that end and lock sessions in a transaction of the caller. Other features use them so
// that one commit has both the change of the account, such as a new password, and the end of the
// sessions. `start-in-transaction.ts` starts them.

import { inTables, type Transaction } from '../../../storage/database.ts'
import { lockRows } from '../../../storage/portable-sql.ts'
import { announceEvent } from '../../operations/app-events/in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
import { endAllAttempts, endAttempts } from '../../sign-in/attempts/attempts-in-transaction.ts'
import { insertEvents } from '../events/in-transaction.ts'
import { isActive } from './active-store.ts'
import type { SessionRow, SessionTables } from './tables.ts'

/**
 * The largest number of values in one SQL statement, well below the parameter limits of SQLite and
 * PostgreSQL.
 */
export const maxValues = 500

/**
 * Ends all sessions of a subject except the session `except`, and inserts the events that revoke
 * their tokens. Does NOT write an audit entry: the caller knows the reason and must write the
 * entry.
 *
 * @param options.remembered the session of a device that stays remembered
 * @returns the number of ended sessions
 */
export async function endSessions(
  transaction: Transaction,
  {
    subject,
    except,
    remembered,
    now,
  }: {
    readonly subject: string
    readonly except?: string | undefined
    readonly remembered?: string | undefined
    readonly now: number
  },
): Promise<number> {
  // An attempt that has proved the old password must not become a session either.
  await endAttempts(transaction, { subject, remembered })

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
  let last = ''
  for (;;) {
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

  await announceEnds(transaction, ended, now)
  return ended
}

/** Inserts the events that revoke the tokens of ended sessions, and those for the app. */
async function announceEnds(
  transaction: Transaction,
  ended: readonly Pick<SessionRow, 'id' | 'subject' | 'client_id' | 'tokens_expire_at'>[],
  now: number,
): Promise<void> {
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
}

/**
 * Whether a user changes their own account in a session that has ended. The check of the route is
 * not enough: another process may have ended the session a moment ago. Lock the user first, as all
 * changes of an account that end its sessions do.
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
