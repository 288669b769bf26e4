import { randomRowId } from 'keystile/internal'
import { clockMarginMilliseconds } from '../../feature/clean-up.ts'
import { inTables, type Transaction } from '../../storage/database.ts'
import type { EventRow, EventTables } from './tables.ts'

/**
 * An event outlives the last token that it hits by this much, so that no verifier forgets it a
 * tolerance too early.
 */
const marginMilliseconds = 60_000

interface Ended {
  readonly kind: EventRow['kind']
  readonly value: string
  /** When the last token that this hits expires, in milliseconds. */
  readonly tokensExpireAt: number
}

/**
 * Inserts events as part of the transaction that ends what they name. They have no number yet: a
 * counter taken here would make all writers wait for each other until they are on disk. What
 * housekeeping would delete at once is left out.
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
