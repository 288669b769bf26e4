import { randomRowId } from 'keystile/internal'
import { clockMarginMilliseconds } from '../../feature/clean-up.ts'
import { inTables, type Transaction } from '../../storage/database.ts'
import type { EventRow, EventTables } from './tables.ts'

/**
 * How long an event is kept after the last token that it revokes has expired. Verifiers still
 * accept a token for a few seconds after it has expired, so its revocation must be kept longer.
 */
const marginMilliseconds = 60_000

/** A session, subject or client whose tokens are revoked. */
interface Ended {
  readonly kind: EventRow['kind']
  readonly value: string
  /** The time at which the last of the tokens expires, in milliseconds. */
  readonly tokensExpireAt: number
}

/**
 * Inserts the events that revoke tokens. The caller passes the transaction of the change that ends
 * the sessions, or disables the subject or the client. So the change is never committed without its
 * events. The events get their numbers later: to take numbers from a counter here, every writer
 * would have to lock the counter until its commit is on disk. Leaves out events whose tokens
 * expired more than a day ago, because housekeeping would soon delete them.
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
  if (rows.length > 0)
    await inTables<EventTables>(transaction).insertInto('event').values(rows).execute()
}
