// The queries and commands for events. `in-transaction.ts` inserts them.

import { sql } from 'kysely'
import type { PurgeCommand } from '../../../feature/clean-up.ts'
import { createPurge } from '../../../feature/purge.ts'
import {
  command,
  inTables,
  type Command,
  type Reader,
  type Transaction,
} from '../../../storage/database.ts'
import { sendSignal } from '../../../storage/portable-sql.ts'
import { prepare } from '../../../storage/prepared.ts'
import type { MarkTables, SchemaMark } from '../../../storage/schema-mark.ts'
import { insertUserEvent } from './in-transaction.ts'
import type { EventRow, EventTables } from './tables.ts'

export interface FeedEvent extends Pick<EventRow, 'id' | 'kind' | 'value'> {
  readonly seq: number
  /** When the event is no longer needed, in milliseconds since 1970-01-01 UTC. */
  readonly expiresAt: number
}

/** How many events one transaction can number, and how many events one read can return. */
const maxNumberedAtOnce = 1_000

/**
 * Gives numbers to at most 1,000 committed events without a number, in the order of their creation.
 *
 * @returns whether there may be more events without a number
 */
export const numberEvents: Command<undefined, { readonly hasMore: boolean }> = command(
  'numberEvents',
  async (transaction) => {
    const lastSeq = await lockFeed(transaction)

    const db = inTables<EventTables>(transaction)
    const numbered = await db
      .updateTable('event')
      .from((from) =>
        from
          .selectFrom('event')
          .select(['id', sql<number>`row_number() over (order by id)`.as('position')])
          .where('seq', 'is', null)
          .orderBy('id')
          .limit(maxNumberedAtOnce)
          .as('unnumbered'),
      )
      .set((row) => ({ seq: sql<number>`${lastSeq} + ${row.ref('unnumbered.position')}` }))
      .whereRef('event.id', '=', 'unnumbered.id')
      .returning('event.seq')
      .execute()

    const signal = sendSignal(transaction).as('signal')
    if (numbered.length > 0)
      await db
        .updateTable('feed')
        .set({ seq: lastSeq + numbered.length })
        .returning(signal)
        .execute()
    return { hasMore: numbered.length === maxNumberedAtOnce }
  },
)

/**
 * Locks the only row of `feed` until the commit, and returns the highest number of an event. So
 * readers see the numbers appear in order, in both databases. Without this lock, a follower could
 * miss a revocation: the event could appear after the follower has read an event with a higher
 * number. The update changes no value.
 */
async function lockFeed(transaction: Transaction): Promise<number> {
  const { seq } = await inTables<EventTables>(transaction)
    .updateTable('feed')
    .set((row) => ({ seq: row.ref('seq') }))
    .returning('seq')
    .executeTakeFirstOrThrow()
  return seq
}

/** The state of the feed at one moment. One statement reads all of it. */
export interface FeedState {
  /** The highest number that was given to an event so far. */
  readonly seq: number
  readonly hasUnnumbered: boolean
  /** The id of the event with the requested number; undefined if there is no such event. */
  readonly idAt: string | undefined
  /** Which releases may use the database. */
  readonly mark: SchemaMark
}

/** Reads the state of the feed, and the id of the event that has the number `at`. */
export async function readFeed(reader: Reader, at: number): Promise<FeedState> {
  const [row] = await selectFeed(reader, { at })
  if (!row) throw new Error('the table `feed` must have one row; it is empty')
  const { seq, oldest, release } = row
  return {
    seq,
    hasUnnumbered: row.unnumbered !== null,
    idAt: row.id_at ?? undefined,
    mark: { oldest, release },
  }
}

const selectFeed = prepare<
  EventTables & MarkTables,
  { readonly at: number },
  SchemaMark & {
    readonly seq: number
    readonly unnumbered: string | null
    readonly id_at: string | null
  }
>((db, { at }) =>
  db
    .selectFrom(['feed', 'schema_mark'])
    .select((row) => [
      'feed.seq',
      'schema_mark.oldest',
      'schema_mark.release',
      row.selectFrom('event').select('id').where('seq', 'is', null).limit(1).as('unnumbered'),
      row.selectFrom('event').select('id').where('seq', '=', at).as('id_at'),
    ]),
)

/**
 * Lists at most 1,000 events whose number is higher than `seq`, in the order of their numbers.
 * Leaves out events whose tokens have all expired. `now` must come from the clock that the caller
 * checks tokens with, so that an event does not expire before its tokens.
 */
export async function listEventsAfter(
  reader: Reader,
  seq: number,
  now: number,
): Promise<readonly FeedEvent[]> {
  const rows = await inTables<EventTables>(reader)
    .selectFrom('event')
    .select(['id', 'seq', 'kind', 'value', 'expires_at'])
    .where('seq', '>', seq)
    .where('expires_at', '>', now)
    .orderBy('seq')
    .limit(maxNumberedAtOnce)
    .execute()
  return rows.flatMap(({ id, seq, kind, value, expires_at }) =>
    seq === null ? [] : [{ id, seq, kind, value, expiresAt: expires_at }],
  )
}

/** Deletes events whose revoked tokens have all expired. */
export const purgeEvents: PurgeCommand = createPurge('purgeEvents', 'event')

/** Tells all processes that a user whom the app stores has changed. */
export const announceUserChange: Command<{ readonly subject: string; readonly now: number }, void> =
  command('announceUserChange', insertUserEvent)
