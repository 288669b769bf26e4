import type { Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { LimitTables } from './tables.ts'
import { inOrder, type Spent } from './uses.ts'

/**
 * Refunds uses that turned out to be no guesses. It must be the last step of a transaction: other
 * counts of the same limits wait for its end. Most rates refund only what time has not refilled:
 * a name with a login always in flight would otherwise save up more tries than the limit has.
 */
export async function restoreUses(
  transaction: Transaction,
  { uses, at }: Spent,
  now: number,
): Promise<void> {
  for (const { key, rate } of inOrder(uses)) {
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
