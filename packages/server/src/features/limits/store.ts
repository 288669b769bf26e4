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
import { inOrder, type Spent, type Use } from './uses.ts'

/** What a limit says to uses of it. */
interface Verdict {
  /** Milliseconds until all of them are possible, 0 where they are now. */
  readonly wait: number
  /** Those limits that are used up. */
  readonly refused: readonly string[]
}

interface Uses {
  readonly uses: readonly Use[]
  readonly now: number
}

/** Reads whether these uses would be too early. Writes nothing. */
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
 * Uses each of these limits once, or none of them when one is exhausted. Of any number of
 * concurrent calls, no more succeed than the limit allows.
 *
 * @returns `wait: 0` when they were used
 */
export const spend: Command<Uses, Verdict> = command(
  'spend',
  async (transaction, { uses, now }) => {
    const waits: (readonly [key: string, milliseconds: number])[] = []
    for (const { key, rate } of inOrder(uses)) {
      const values = { key, now, tat: advance(undefined, rate, now), usedUpAt: usedUpAt(rate, now) }
      const [row] = await spendOnce(transaction, values)
      if (!row) throw new Error('a use of a limit must leave its row')
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
        // `advance`, of what is stored
        tat: sql<number>`excluded.tat - ${now} + case
            when rate.tat > ${usedUpAt} then ${usedUpAt} when rate.tat > ${now} then rate.tat else ${now} end`,
      }),
    )
    .returningAll(),
)

/** Refunds uses that turned out to be no guesses. */
export const giveBack: Command<{ readonly spent: Spent; readonly now: number }, void> = command(
  'giveBack',
  (transaction, { spent, now }) => restoreUses(transaction, spent, now),
)

function verdictOf(waits: readonly (readonly [key: string, milliseconds: number])[]): Verdict {
  const wait = Math.max(0, ...waits.map(([, milliseconds]) => milliseconds))
  return { wait, refused: waits.flatMap(([key, milliseconds]) => (milliseconds > 0 ? [key] : [])) }
}

const maxPurgedAtOnce = 500

/**
 * Deletes limits of which nothing was used up at this time, 500 at most. @returns how many those
 * were
 */
export const purgeRates: Command<{ readonly before: number }, { readonly purged: number }> =
  command('purgeRates', async (transaction, { before }) => {
    const db = inTables<LimitTables>(transaction)
    const query = db
      .selectFrom('rate')
      .select('key')
      .where('tat', '<', before)
      .limit(maxPurgedAtOnce)
    // What is just being used again is none of those.
    const found = await withoutLocked(transaction, query).execute()
    if (found.length === 0) return { purged: 0 }
    const keys = found.map(({ key }) => key)
    await db.deleteFrom('rate').where('key', 'in', keys).execute()
    return { purged: found.length }
  })

export const commands: readonly AnyCommand[] = [spend, giveBack, purgeRates]
