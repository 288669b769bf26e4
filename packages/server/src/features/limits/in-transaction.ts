import type { Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { LimitTables } from './tables.ts'
import { sortByKey, type Spent } from './uses.ts'

/**
 * Refunds uses that turned out not to be guesses. Call it as the last step of a transaction: other
 * counts of the same limits wait until the transaction commits.
 *
 * Most rates refund only the part of a use that time has not refilled. With a full refund, an
 * attacker who always keeps logins in flight could collect more tries than the limit allows.
 */
export async function restoreUses(
  transaction: Transaction,
  { uses, at }: Spent,
  now: number,
): Promise<void> {
  for (const { key, rate } of sortByKey(uses)) {
    const left = rate.intervalMilliseconds - Math.max(0, now - at)
    if (left <= 0) continue
    await restoreOne(transaction, {
      key,
      milliseconds: rate.isGivenBackWhole ? rate.intervalMilliseconds : left,
    })
  }
}

const restoreOne = prepare<
  LimitTables,
  { readonly key: string; readonly milliseconds: number },
  unknown
>((db, { key, milliseconds }) =>
  db
    .updateTable('rate')
    .set((row) => ({ tat: row('tat', '-', milliseconds) }))
    .where('key', '=', key),
)
