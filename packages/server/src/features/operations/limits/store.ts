// Counts uses of limits in the database.
import { maxPurgedAtOnce, type PurgeCommand } from '../../../feature/clean-up.ts'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { withoutLocked } from '../../../storage/portable-sql.ts'
import { advance, earlinessOf } from './gcra.ts'
import { countUses, refundUses, verdictOf, type Verdict } from './in-transaction.ts'
import type { LimitTables } from './tables.ts'
import type { Spent, Use } from './uses.ts'

interface Uses {
  readonly uses: readonly Use[]
  readonly now: number
}

/** Reads whether the limits allow these uses now. Does NOT count the uses. */
export async function readVerdict(reader: Reader, { uses, now }: Uses): Promise<Verdict> {
  const keys = uses.map(({ key }) => key)
  const rows = await inTables<LimitTables>(reader)
    .selectFrom('rate')
    .selectAll()
    .where('key', 'in', keys)
    .execute()
  const tats = new Map(rows.map(({ key, tat }) => [key, tat]))
  return verdictOf(
    uses.map(({ key, rate }) => [key, earlinessOf(advance(tats.get(key), rate, now), rate, now)]),
  )
}

/**
 * Counts all given uses. If any of their limits is exhausted, counts none of the uses. Even if many
 * calls run at the same time, only as many calls succeed as the limits allow.
 *
 * @returns `wait: 0` if the uses were counted
 */
export const countAttempt: Command<Uses, Verdict> = command(
  'countAttempt',
  (transaction, { uses, now }) => countUses(transaction, uses, now),
)

/** Refunds the uses of an attempt that was not a guess. */
export const refundAttempt: Command<{ readonly spent: Spent; readonly now: number }, void> =
  command('refundAttempt', (transaction, { spent, now }) => refundUses(transaction, spent, now))

/** Deletes limits that had refilled completely at the time `before`. */
export const purgeRates: PurgeCommand = command('purgeRates', async (transaction, { before }) => {
  const db = inTables<LimitTables>(transaction)
  const query = db
    .selectFrom('rate')
    .select('key')
    .where('tat', '<', before)
    .orderBy('tat')
    .limit(maxPurgedAtOnce)
  // Skips limits that another transaction is using at the moment.
  const found = await withoutLocked(transaction, query).execute()
  if (found.length === 0) return { purged: 0 }

  const keys = found.map(({ key }) => key)
  await db.deleteFrom('rate').where('key', 'in', keys).execute()
  return { purged: found.length }
})
