import { sql, type Kysely, type Transaction } from 'kysely'
import { command, hasRowLocks, type AnyCommand, type Command } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { RateRow, Tables } from '../../storage/tables.ts'
import { advance, earlinessOf, usedUpAt, type Rate } from './gcra.ts'

/** One use of a limit. */
export interface Use {
  readonly key: string
  readonly rate: Rate
}

interface Uses {
  readonly uses: readonly Use[]
  readonly now: number
}

/** Uses that may turn out to be none. */
export interface Spent {
  readonly uses: readonly Use[]
  /** When they were counted. */
  readonly at: number
}

/** Reads how many milliseconds too early these uses would be. Writes nothing. */
export async function findWait(reader: Kysely<Tables>, { uses, now }: Uses): Promise<number> {
  const keys = uses.map(({ key }) => key)
  const rows = await reader.selectFrom('rate').selectAll().where('key', 'in', keys).execute()
  const tats = new Map(rows.map(({ key, tat }) => [key, tat]))
  return longest(uses.map(({ key, rate }) => earlinessOf(advance(tats.get(key), rate, now), rate, now)))
}

/**
 * Uses each of these limits once, or none of them where one is used up: of any number that ask at once, no more get through
 * than the limit has.
 *
 * @returns milliseconds to wait, 0 where they were used
 */
export const spend: Command<Uses, { readonly wait: number }> = command('spend', async (transaction, { uses, now }) => {
  const waits: number[] = []
  for (const { key, rate } of inOrder(uses)) {
    const values = { key, now, tat: advance(undefined, rate, now), usedUpAt: usedUpAt(rate, now) }
    const [row] = await spendOnce(transaction, values)
    waits.push(earlinessOf(row!.tat, rate, now))
  }
  const wait = longest(waits)
  if (wait > 0) await restoreUses(transaction, { uses, at: now }, now)
  return { wait }
})

const spendOnce = prepare<RateRow & { readonly now: number; readonly usedUpAt: number }, RateRow>(
  (db, { key, tat, now, usedUpAt }) =>
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

/** Takes uses back that were none after all. */
export const giveBack: Command<{ readonly spent: Spent; readonly now: number }, void> = command(
  'giveBack',
  (transaction, { spent, now }) => restoreUses(transaction, spent, now),
)

/**
 * The same as part of a transaction, and the last of it: whoever counts these uses waits for its end. What has come back with time
 * meanwhile is not given back again, or a limit of which a use is always under way would save up more than there is in it.
 */
export async function restoreUses(transaction: Transaction<Tables>, { uses, at }: Spent, now: number): Promise<void> {
  for (const { key, rate } of inOrder(uses)) {
    const milliseconds = rate.intervalMilliseconds - Math.max(0, now - at)
    if (milliseconds > 0) await restoreOne(transaction, { key, milliseconds })
  }
}

const restoreOne = prepare<{ readonly key: string; readonly milliseconds: number }, unknown>(
  (db, { key, milliseconds }) =>
    db
      .updateTable('rate')
      .set((row) => ({ tat: row('tat', '-', milliseconds) }))
      .where('key', '=', key),
)

/** So that two who use the same limits do not wait for each other. */
function inOrder(uses: readonly Use[]): readonly Use[] {
  return uses.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

function longest(waits: readonly number[]): number {
  return Math.max(0, ...waits)
}

const maxPurgedAtOnce = 500

/** Deletes limits of which nothing was used up at this time, 500 at most. @returns how many those were */
export const purgeRates: Command<{ readonly before: number }, { readonly purged: number }> = command(
  'purgeRates',
  async (transaction, { before }) => {
    const query = transaction.selectFrom('rate').select('key').where('tat', '<', before).limit(maxPurgedAtOnce)
    // What is just being used again is none of those.
    const found = await (hasRowLocks(transaction) ? query.forUpdate().skipLocked() : query).execute()
    if (found.length === 0) return { purged: 0 }
    const keys = found.map(({ key }) => key)
    await transaction.deleteFrom('rate').where('key', 'in', keys).execute()
    return { purged: found.length }
  },
)

const deviceKeyName = 'device_key'

/** Keeps the first secret that any process offers; says which one that is. */
export const claimDeviceKey: Command<string, string> = command('claimDeviceKey', async (transaction, offered) => {
  await transaction
    .insertInto('setting')
    .values({ name: deviceKeyName, value: offered })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { value } = await transaction
    .selectFrom('setting')
    .select('value')
    .where('name', '=', deviceKeyName)
    .executeTakeFirstOrThrow()
  return value
})

export const commands: readonly AnyCommand[] = [spend, giveBack, purgeRates, claimDeviceKey]
