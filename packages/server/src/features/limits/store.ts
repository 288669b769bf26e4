// Counts uses of limits in the database.

import { sql } from 'kysely'
import {
  command,
  inTables,
  withoutLocked,
  type AnyCommand,
  type Command,
  type Reader,
} from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import { advance, earlinessOf, usedUpAt } from './gcra.ts'
import { restoreUses } from './in-transaction.ts'
import type { LimitTables, RateRow } from './tables.ts'
import { sortByKey, type Spent, type Use } from './uses.ts'

/** Whether the limits allow a set of uses. */
interface Verdict {
  /** Milliseconds until all uses are possible; 0 when they are possible now. */
  readonly wait: number
  /** The keys of the exhausted limits. */
  readonly refused: readonly string[]
}

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
 * Counts all given uses. If the limit of one use is exhausted, counts none of the uses. Even if
 * many calls run at the same time, only as many calls succeed as the limits allow.
 *
 * @returns `wait: 0` if the uses were counted
 */
export const spend: Command<Uses, Verdict> = command(
  'spend',
  async (transaction, { uses, now }) => {
    const waits: (readonly [key: string, milliseconds: number])[] = []
    for (const { key, rate } of sortByKey(uses)) {
      const values = { key, now, tat: advance(undefined, rate, now), usedUpAt: usedUpAt(rate, now) }
      const [row] = await spendOnce(transaction, values)
      if (!row)
        throw new Error('the statement that counts a use must return the row of the rate limit')
      waits.push([key, earlinessOf(row.tat, rate, now)])
    }
    const verdict = verdictOf(waits)
    if (verdict.wait > 0) await restoreUses(transaction, { uses, at: now }, now)
    return verdict
  },
)

const spendOnce = prepare<
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

/** Refunds the uses of an attempt that was not a guess. */
export const refundUses: Command<{ readonly spent: Spent; readonly now: number }, void> = command(
  'refundUses',
  (transaction, { spent, now }) => restoreUses(transaction, spent, now),
)

function verdictOf(waits: readonly (readonly [key: string, milliseconds: number])[]): Verdict {
  const wait = Math.max(0, ...waits.map(([, milliseconds]) => milliseconds))
  return { wait, refused: waits.flatMap(([key, milliseconds]) => (milliseconds > 0 ? [key] : [])) }
}

/**
 * The largest number of rows that one step deletes. All other writers wait for the step, so it must
 * be short.
 */
const maxPurgedAtOnce = 500

/**
 * Deletes at most 500 limits that had refilled completely at the time `before`.
 *
 * @returns the number of deleted limits
 */
export const purgeRates: Command<{ readonly before: number }, { readonly purged: number }> =
  command('purgeRates', async (transaction, { before }) => {
    const db = inTables<LimitTables>(transaction)
    const query = db
      .selectFrom('rate')
      .select('key')
      .where('tat', '<', before)
      .limit(maxPurgedAtOnce)
    // Skips limits that another transaction is using at the moment.
    const found = await withoutLocked(transaction, query).execute()
    if (found.length === 0) return { purged: 0 }

    const keys = found.map(({ key }) => key)
    await db.deleteFrom('rate').where('key', 'in', keys).execute()
    return { purged: found.length }
  })

export const commands: readonly AnyCommand[] = [spend, refundUses, purgeRates]
