import type { Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { LimitTables } from './tables.ts'
import { inOrder, type Spent } from './uses.ts'

/** Refunds uses that were none after all, as the last step of a transaction: who counts them waits for its end. */
export async function restoreUses(transaction: Transaction, { uses, at }: Spent, now: number): Promise<void> {
  for (const { key, rate } of inOrder(uses)) {
    const left = rate.intervalMilliseconds - Math.max(0, now - at)
    if (left <= 0) continue
    await restoreOne(transaction, { key, milliseconds: rate.isGivenBackWhole ? rate.intervalMilliseconds : left })
  }
}

const restoreOne = prepare<LimitTables, { readonly key: string; readonly milliseconds: number }, unknown>(
  (db, { key, milliseconds }) =>
    db
      .updateTable('rate')
      .set((row) => ({ tat: row('tat', '-', milliseconds) }))
      .where('key', '=', key),
)
