import { randomRowId } from 'keystile/internal'
import { announce, databaseTime, inTables, type Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import { newRow } from '../queue/rows.ts'
import type { AppEvent } from './app-event.ts'
import { eventLifetimeMilliseconds } from './lifetimes.ts'
import type { AppEventRow, AppEventTables } from './tables.ts'

/**
 * Announces events to the app. A function in this process gets them after the commit. If an app
 * handles durable events, also stores them: in this transaction, because the process that makes a
 * change may be another one than the process with the handler. If the transaction fails, the events
 * are dropped.
 */
export async function announceEvent(
  transaction: Transaction,
  ...events: readonly AppEvent[]
): Promise<void> {
  for (const event of events) announce(transaction, event)
  if (events.length === 0 || (await findHandler(transaction, {})).length === 0) return

  await inTables<AppEventTables>(transaction)
    .insertInto('app_event')
    .values(events.map(rowOf))
    .execute()
}

const findHandler = prepare<AppEventTables, object, unknown>((db) =>
  db.selectFrom('event_handler').select('name').where('expires_at', '>', databaseTime(db)),
)

/** An event names the user only by the subject, so a deleted user leaves nothing else behind. */
function rowOf({ at, ...event }: AppEvent): AppEventRow {
  const now = at.getTime()
  return {
    id: randomRowId(now),
    event: JSON.stringify(event),
    ...newRow(now, eventLifetimeMilliseconds),
  }
}
