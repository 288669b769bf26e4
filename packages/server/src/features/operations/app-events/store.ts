import { sql } from 'kysely'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { databaseTime } from '../../../storage/portable-sql.ts'
import {
  countRows,
  createQueueCommands,
  type QueueCommands,
  type RowCounts,
} from '../queue/rows.ts'
import { deliveryMilliseconds, handlerLifetimeMilliseconds } from './lifetimes.ts'
import type { AppEventRow, AppEventTables } from './tables.ts'

export const eventTable = 'app_event'

export const eventCommands: QueueCommands<AppEventRow> = createQueueCommands(eventTable)

/** Records that an app handles durable events. From now on, all processes store events. */
export const storeHandler: Command<{ readonly name: string }, void> = command(
  'storeHandler',
  async (transaction, { name }) => {
    const now = databaseTime(transaction)
    const expiresAt = sql<number>`${now} + ${sql.lit(handlerLifetimeMilliseconds)}`
    await inTables<AppEventTables>(transaction)
      .insertInto('event_handler')
      .values({ name, expires_at: expiresAt })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ expires_at: expiresAt }))
      .execute()
  },
)

/** Lists the oldest events. */
export function listEvents(reader: Reader, limit: number): Promise<readonly AppEventRow[]> {
  return inTables<AppEventTables>(reader)
    .selectFrom('app_event')
    .selectAll()
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** Counts the events. Returns zeros if the database has no table of events yet. */
export function countEvents(reader: Reader, now: number): Promise<RowCounts> {
  return countRows(reader, eventTable, now - deliveryMilliseconds)
}
