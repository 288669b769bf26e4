// Inserts events in a transaction of the caller, so that one commit has a change and its event.

import { randomRowId, type RevocationEvent } from 'keystile/internal'
import { clockMarginMilliseconds } from '../../../feature/clean-up.ts'
import { inTables, type Transaction } from '../../../storage/database.ts'
import { announce } from '../../../storage/notices.ts'
import { prepare } from '../../../storage/prepared.ts'
import type { RevocationNotice, UserNotice } from './notices.ts'
import type { EventRow, EventTables } from './tables.ts'

/**
 * How long an event is kept after the last token that it revokes has expired. Verifiers may accept
 * a token for 60 s after it has expired, and their clocks may be 5 s behind.
 */
const marginMilliseconds = 70_000

/**
 * How long processes can read the event about a changed user. A process that has read no events for
 * half of this time forgets all users that it keeps in memory, because it may have missed events.
 */
export const userEventMilliseconds: number = 60 * 60 * 1000

/** A session, subject, client or key whose tokens are revoked. */
interface Ended {
  readonly kind: RevocationEvent['kind']
  readonly value: string
  /** The time at which the last of the tokens expires, in milliseconds. */
  readonly tokensExpireAt: number
}

/**
 * Inserts the events that revoke tokens. The caller passes the transaction of the change that ends
 * the sessions, or disables the subject or the client.
 *
 * This process also gets the events as a notice, so it refuses the tokens before the command
 * resolves. Other processes get them later, when the events have numbers. If this function gave out
 * the numbers, every writer would have to lock a counter until its commit is on disk.
 *
 * Leaves out events whose tokens expired more than a day ago, because housekeeping would soon
 * delete them.
 */
export async function insertEvents(
  transaction: Transaction,
  ended: readonly Ended[],
  now: number,
): Promise<void> {
  const rows = ended
    .map(({ kind, value, tokensExpireAt }) => ({
      kind,
      value,
      expires_at: tokensExpireAt + marginMilliseconds,
    }))
    .filter(({ expires_at }) => expires_at > now - clockMarginMilliseconds)
    .map((row) => ({ ...row, id: randomRowId(now), seq: null, created_at: now }))
  if (rows.length === 0) return

  announce(transaction, {
    revoked: rows.map(({ kind, value, expires_at }) => ({ kind, value, expiresAt: expires_at })),
  } satisfies RevocationNotice)

  const [first, ...others] = rows
  if (first && others.length === 0) await insertEventRow(transaction, first)
  else await inTables<EventTables>(transaction).insertInto('event').values(rows).execute()
}

/**
 * By how much a restore increases the highest event number. No database gets so many events between
 * a backup and its restore.
 */
const skippedNumbers = 1_000_000_000

/**
 * Skips a billion numbers after a restore, so that no new event gets a number that another event
 * had before the restore. Otherwise a process or a reader of the feed could fail to notice the
 * restore, and would not read all events again.
 */
export async function skipNumbers(transaction: Transaction): Promise<void> {
  await inTables<EventTables>(transaction)
    .updateTable('feed')
    .set((row) => ({ seq: row('seq', '+', skippedNumbers) }))
    .execute()
}

/**
 * Inserts the event that makes every process read a user again. Call it in the transaction of the
 * change. This process also gets a notice, so its cache forgets the user before the promise of the
 * command resolves.
 */
export async function insertUserEvent(
  transaction: Transaction,
  { subject, now }: { readonly subject: string; readonly now: number },
): Promise<void> {
  announce(transaction, { changedUser: subject } satisfies UserNotice)
  await insertEventRow(transaction, {
    id: randomRowId(now),
    kind: 'user',
    value: subject,
    created_at: now,
    expires_at: now + userEventMilliseconds,
  })
}

const insertEventRow = prepare<EventTables, Omit<EventRow, 'seq'>, unknown>((db, row) =>
  db.insertInto('event').values({
    id: row.id,
    seq: null,
    kind: row.kind,
    value: row.value,
    created_at: row.created_at,
    expires_at: row.expires_at,
  }),
)
