import { randomRowId } from 'keystile/internal'
import { inTables, type Transaction } from '../../../storage/database.ts'
import { announce } from '../../../storage/notices.ts'
import { databaseTime } from '../../../storage/portable-sql.ts'
import { prepare } from '../../../storage/prepared.ts'
import { newRow } from '../queue/rows.ts'
import type { AppEvent } from './app-event.ts'
import { eventLifetimeMilliseconds } from './lifetimes.ts'
import type { AppEventRow, AppEventTables } from './tables.ts'

/**
 * Announces events to the app. After the commit, Keystile passes them to the function `onEvent` of
 * this process. If the app handles durable events, `announceEvent` also stores the events in
 * this transaction, because the handler may run in another process. If the transaction fails, no
 * event is passed on or stored.
 */
export async function announceEvent(
  transaction: Transaction,
  ...events: readonly AppEvent[]
): Promise<void> {
  for (const event of events) announce(transaction, event)
  if (events.length === 0 || (await listHandlers(transaction, {})).length === 0) return

  await inTables<AppEventTables>(transaction)
    .insertInto('app_event')
    .values(events.map(rowOf))
    .execute()
}

/** By the clock of the database, because other processes have written `expires_at`. */
const listHandlers = prepare<AppEventTables, object, unknown>((db) =>
  db.selectFrom('event_handler').select('name').where('expires_at', '>', databaseTime(db)),
)

/**
 * Returns the row of an event. The only data of the user in the row is the subject, so that no
 * other data stays in the table when the user is deleted.
 */
function rowOf({ at, ...event }: AppEvent): AppEventRow {
  const now = at.getTime()
  return {
    id: randomRowId(now),
    event: JSON.stringify(event),
    ...newRow(now, eventLifetimeMilliseconds),
  }
}
