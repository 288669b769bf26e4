import { sql } from 'kysely'
import type { Transaction } from '../../../storage/database.ts'
import { prepare } from '../../../storage/prepared.ts'
import { advance, earlinessOf, usedUpAt } from './gcra.ts'
import type { LimitTables, RateRow } from './tables.ts'
import { sortByKey, type Spent, type Use } from './uses.ts'

/** The key of a limit, and the milliseconds until the limit allows its use; 0 for now. */
type Wait = readonly [key: string, milliseconds: number]

/** Whether several limits together allow an attempt. */
export interface Verdict {
  /** The milliseconds until all limits allow their uses; 0 if they do so now. */
  readonly wait: number
  /** The keys of the exhausted limits. */
  readonly refused: readonly string[]
}

/**
 * Counts all given uses. If any of their limits is exhausted, counts none of the uses. Even if many
 * transactions count at the same time, only as many succeed as the limits allow. Call it as the
 * last step of a transaction: other counts of the same limits wait until the transaction commits.
 *
 * @returns `wait: 0` if the uses were counted
 */
export async function countUses(
  transaction: Transaction,
  uses: readonly Use[],
  now: number,
): Promise<Verdict> {
  const waits: Wait[] = []
  for (const { key, rate } of sortByKey(uses)) {
    const values = { key, now, tat: advance(undefined, rate, now), usedUpAt: usedUpAt(rate, now) }
    const [row] = await countOne(transaction, values)
    if (!row)
      throw new Error('the statement that counts a use must return the row of the rate limit')
    waits.push([key, earlinessOf(row.tat, rate, now)])
  }
  const verdict = verdictOf(waits)
  if (verdict.wait > 0) await refundUses(transaction, { uses, at: now }, now)
  return verdict
}

const countOne = prepare<
  LimitTables,
  RateRow & { readonly now: number; readonly usedUpAt: number },
  RateRow
>((db, { key, tat, now, usedUpAt }) =>
  db
    .insertInto('rate')
    .values({ key, tat })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        // Computes the same value as `advance()`, but in one statement, so that no other count can
        // change the stored value in between.
        tat: sql<number>`excluded.tat - ${now} + case
            when rate.tat > ${usedUpAt} then ${usedUpAt}
            when rate.tat > ${now} then rate.tat
            else ${now} end`,
      }),
    )
    .returningAll(),
)

/** Combines several limits into one verdict. */
export function verdictOf(waits: readonly Wait[]): Verdict {
  const wait = Math.max(0, ...waits.map(([, milliseconds]) => milliseconds))
  const refused = waits.filter(([, milliseconds]) => milliseconds > 0).map(([key]) => key)
  return { wait, refused }
}

/** Sets the limits of these uses back to zero. Call it as the last step of a transaction. */
export async function clearUses(transaction: Transaction, uses: readonly Use[]): Promise<void> {
  for (const { key } of sortByKey(uses)) await clearOne(transaction, { key })
}

const clearOne = prepare<LimitTables, { readonly key: string }, unknown>((db, { key }) =>
  db.deleteFrom('rate').where('key', '=', key),
)

/**
 * Refunds the uses of an attempt that was not a guess. Call it as the last step of a transaction:
 * other counts of the same limits wait until the transaction commits.
 *
 * After a use was counted, its limit refills with time. For most rates, only the part of the use
 * that has not refilled yet is refunded. With a full refund, an attacker who always has several
 * logins in progress could get more tries than the limit allows.
 */
export async function refundUses(
  transaction: Transaction,
  { uses, at }: Spent,
  now: number,
): Promise<void> {
  for (const { key, rate } of sortByKey(uses)) {
    const left = rate.intervalMilliseconds - Math.max(0, now - at)
    if (left <= 0) continue
    await refundOne(transaction, {
      key,
      milliseconds: rate.isRefundedWhole ? rate.intervalMilliseconds : left,
    })
  }
}

const refundOne = prepare<
  LimitTables,
  { readonly key: string; readonly milliseconds: number },
  unknown
>((db, { key, milliseconds }) =>
  db
    .updateTable('rate')
    .set((row) => ({ tat: row('tat', '-', milliseconds) }))
    .where('key', '=', key),
)
