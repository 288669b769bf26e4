import type { Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { LimitTables } from './tables.ts'
import { sortByKey, type Spent } from './uses.ts'

/**
 * Refunds the uses of an attempt that was not a guess. Call it as the last step of a transaction:
 * other counts of the same limits wait until the transaction commits.
 *
 * Most rates refund only the part of a use that has not refilled since the use was counted. With a
 * full refund, an attacker who always has several logins in progress could get more tries than the
 * limit allows.
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
