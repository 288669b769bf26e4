// The statements for rows that wait to be delivered. Each feature has a table of its own.

import type { PurgeCommand } from '../../../feature/clean-up.ts'
import { createPurge } from '../../../feature/purge.ts'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { hasTable } from '../../../storage/schema.ts'

/**
 * A row that waits to be delivered. It is deleted when it has been delivered. Times are in
 * milliseconds.
 */
export interface QueuedRow {
  readonly id: string
  readonly created_at: number
  /**
   * The time at which the row expires. An expired row is not delivered, and housekeeping deletes
   * it.
   */
  readonly expires_at: number
  /** How many times a process has started to deliver the row. */
  readonly tries: number
  readonly next_try_at: number
  /** When the row became a dead letter; null if it still waits. */
  readonly dead_at: number | null
  /** Why the last try failed: a code, never a text from another program. */
  readonly failure: string | null
}

/** Returns the columns of a new row. The row is due immediately. */
export function newRow(now: number, lifetimeMilliseconds: number): Omit<QueuedRow, 'id'> {
  return {
    created_at: now,
    expires_at: now + lifetimeMilliseconds,
    tries: 0,
    next_try_at: now,
    dead_at: null,
    failure: null,
  }
}

export interface QueueCommands<Row extends QueuedRow> {
  /**
   * Claims the rows that are due, oldest first, and counts a try for each. Until the time `until`,
   * no other process can claim them. If this process crashes, another process delivers the rows
   * later.
   */
  readonly claim: Command<
    { readonly now: number; readonly until: number; readonly limit: number },
    readonly Row[]
  >
  /** Deletes a row that was delivered. */
  readonly erase: Command<{ readonly id: string }, void>
  /** Stores that a try has failed, and the time of the next try. A dead letter has no next try. */
  readonly fail: Command<Pick<QueuedRow, 'id' | 'failure' | 'dead_at' | 'next_try_at'>, void>
  /**
   * Makes the row `id` due immediately; if `id` is undefined, all dead letters and all rows that
   * wait for their next try.
   */
  readonly retry: Command<
    { readonly id: string | undefined; readonly now: number },
    { readonly retried: number }
  >
  /** Deletes rows that expired before they were delivered. */
  readonly purge: PurgeCommand
}

/** A placeholder for the table of a feature. Its real name is known only at run time. */
interface Tables {
  readonly queue: QueuedRow
}

/** Creates the commands on the rows of a table, which must have the columns of a `QueuedRow`. */
export function createQueueCommands<Row extends QueuedRow>(name: string): QueueCommands<Row> {
  const table = name as 'queue'
  return {
    claim: command(`claim:${name}`, async (transaction, { now, until, limit }) => {
      const claimed: readonly QueuedRow[] = await inTables<Tables>(transaction)
        .updateTable(table)
        .set((row) => ({ tries: row('tries', '+', 1), next_try_at: until }))
        .where('id', 'in', (from) =>
          from
            .selectFrom(table)
            .select('id')
            .where('dead_at', 'is', null)
            .where('next_try_at', '<=', now)
            .where('expires_at', '>', now)
            .orderBy('next_try_at')
            .orderBy('id')
            .limit(limit),
        )
        .returningAll()
        .execute()
      return claimed as readonly Row[]
    }),
    erase: command(`erase:${name}`, async (transaction, { id }) => {
      await inTables<Tables>(transaction).deleteFrom(table).where('id', '=', id).execute()
    }),
    fail: command(`fail:${name}`, async (transaction, { id, failure, dead_at, next_try_at }) => {
      await inTables<Tables>(transaction)
        .updateTable(table)
        .set({ failure, dead_at, next_try_at })
        .where('id', '=', id)
        .execute()
    }),
    retry: command(`retry:${name}`, async (transaction, { id, now }) => {
      const { numUpdatedRows } = await inTables<Tables>(transaction)
        .updateTable(table)
        .set({ tries: 0, dead_at: null, next_try_at: now })
        .where('expires_at', '>', now)
        .where((row) =>
          id === undefined
            ? row.or([row('dead_at', 'is not', null), row('next_try_at', '>', now)])
            : row('id', '=', id),
        )
        .executeTakeFirstOrThrow()
      return { retried: Number(numUpdatedRows) }
    }),
    purge: createPurge(`purge:${name}`, name),
  }
}

export async function hasDueRow(reader: Reader, name: string, now: number): Promise<boolean> {
  const row = await inTables<Tables>(reader)
    .selectFrom(name as 'queue')
    .select('id')
    .where('dead_at', 'is', null)
    .where('next_try_at', '<=', now)
    .where('expires_at', '>', now)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export interface RowCounts {
  readonly waiting: number
  readonly dead: number
}

/**
 * Counts the rows. Returns zeros if the database does not have the table yet.
 *
 * @param overdueBefore rows that were made before this time count as dead letters, even if no
 *   process has tried to deliver them
 */
export async function countRows(
  reader: Reader,
  name: string,
  overdueBefore = 0,
): Promise<RowCounts> {
  if (!(await hasTable(reader, name))) return { waiting: 0, dead: 0 }

  const row = await inTables<Tables>(reader)
    .selectFrom(name as 'queue')
    .select((from) => {
      const isDead = from.or([
        from('dead_at', 'is not', null),
        from('created_at', '<', overdueBefore),
      ])
      const dead = from.case().when(isDead).then(1).end()
      return [from.fn.count('id').as('all'), from.fn.count(dead).as('dead')]
    })
    .executeTakeFirstOrThrow()
  return { waiting: Number(row.all) - Number(row.dead), dead: Number(row.dead) }
}
