import { sql } from 'kysely'
import type { RevocationEvent } from 'keystile/internal'
import { maxPurgedAtOnce, type PurgeCommand } from '../../feature/clean-up.ts'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Reader,
} from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { EventTables } from './tables.ts'

/** An event as readers see it. */
export interface NumberedEvent extends RevocationEvent {
  readonly id: string
  readonly seq: number
}

const maxNumberedAtOnce = 1_000

/**
 * Numbers what is committed and has no number, in the order of making, 1,000 at most. The lock of
 * the one `feed` row is held until the commit, so numbers become visible in their order, to every
 * reader of either database.
 */
export const numberEvents: Command<undefined, void> = command(
  'numberEvents',
  async (transaction) => {
    const db = inTables<EventTables>(transaction)
    const { seq } = await db
      .updateTable('feed')
      .set((row) => ({ seq: row.ref('seq') }))
      .returning('seq')
      .executeTakeFirstOrThrow()
    const numbered = await db
      .updateTable('event')
      .from((from) =>
        from
          .selectFrom('event')
          .select(['id', sql<number>`row_number() over (order by id)`.as('position')])
          .where('seq', 'is', null)
          .orderBy('id')
          .limit(maxNumberedAtOnce)
          .as('fresh'),
      )
      .set((row) => ({ seq: sql<number>`${seq} + ${row.ref('fresh.position')}` }))
      .whereRef('event.id', '=', 'fresh.id')
      .returning('event.seq')
      .execute()
    if (numbered.length > 0)
      await db
        .updateTable('feed')
        .set({ seq: seq + numbered.length })
        .execute()
  },
)

/** The state of the feed, as one statement sees it. */
export interface FeedState {
  /** The highest number. */
  readonly seq: number
  readonly hasUnnumbered: boolean
  /** The event with the number that was asked about, if it is there. */
  readonly idAt: string | undefined
}

export async function readFeed(reader: Reader, at: number): Promise<FeedState> {
  const [row] = await selectFeed(reader, { at })
  if (!row) throw new Error('the table `feed` must have its one row')
  return { seq: row.seq, hasUnnumbered: row.unnumbered !== null, idAt: row.id_at ?? undefined }
}

const selectFeed = prepare<
  EventTables,
  { readonly at: number },
  { readonly seq: number; readonly unnumbered: string | null; readonly id_at: string | null }
>((db, { at }) =>
  db
    .selectFrom('feed')
    .select((row) => [
      'feed.seq',
      row.selectFrom('event').select('id').where('seq', 'is', null).limit(1).as('unnumbered'),
      row.selectFrom('event').select('id').where('seq', '=', at).as('id_at'),
    ]),
)

/**
 * Events that can still hit a token, in the order of their numbers, 1,000 at most. `now` is the
 * clock by which the caller checks tokens as well, so events and tokens expire together.
 */
export async function listEventsAfter(
  reader: Reader,
  seq: number,
  now: number,
): Promise<readonly NumberedEvent[]> {
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

/** Deletes events that can hit no token any more. */
export const purgeEvents: PurgeCommand = command('purgeEvents', async (transaction, { before }) => {
  const events = await inTables<EventTables>(transaction)
    .deleteFrom('event')
    .where('id', 'in', (from) =>
      from
        .selectFrom('event')
        .select('id')
        .where('expires_at', '<', before)
        .orderBy('expires_at')
        .limit(maxPurgedAtOnce),
    )
    .executeTakeFirstOrThrow()
  return { purged: Number(events.numDeletedRows) }
})

export const commands: readonly AnyCommand[] = [numberEvents, purgeEvents]
