// Delivers durable events from the database, whichever process has stored them.

import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { openLease, type LeaseParts } from '../lease/lease.ts'
import { startWorker, type Queue } from '../queue/worker.ts'
import type { AppEvent, DurableAppEvent, DurableEventHandler } from './app-event.ts'
import { deliveryDays, isOverdue } from './lifetimes.ts'
import { eventCommands, eventTable, storeHandler } from './store.ts'
import type { AppEventRow } from './tables.ts'

/**
 * How often a process with a durable handler stores in the database that the app has a handler. The
 * row is valid for a week, so it stays valid even if the database is down for days.
 */
const handlerRenewalMilliseconds = 60 * 60 * 1000

export interface DurableDeliveryParts {
  readonly database: Pick<Database, 'reader' | 'write' | 'urgent'>
  readonly underLease: LeaseParts['underLease']
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Stores that this app handles events. While this process holds the lease `events`, it handles the
 * events of all processes. Only processes with a handler try to get this lease: a process without a
 * handler would hold the lease and handle nothing.
 */
export async function deliverDurably(
  handler: DurableEventHandler,
  { database, underLease, clock, logger }: DurableDeliveryParts,
): Promise<{ close(): Promise<void> }> {
  const renewal = await keepHandlerStored(database, logger)
  const lease = openLease(database, { name: 'events', underLease, logger })
  const queue = queueOf(handler, { clock, logger })
  const worker = startWorker(queue, { database, lease, clock, logger })
  return {
    async close() {
      clearInterval(renewal)
      await worker.close()
      await lease.close()
    },
  }
}

/** Stores that the app has a handler, now and then each hour. Returns the timer. */
async function keepHandlerStored(
  database: Pick<Database, 'write'>,
  logger: Logger,
): Promise<NodeJS.Timeout> {
  const store = (): Promise<void> => database.write(storeHandler, { name: 'onEvent' })
  await store()
  const renew = (): void =>
    void store().catch((error: unknown) =>
      logger.warn({ err: error }, 'the handler of events could not be stored'),
    )
  return setInterval(renew, handlerRenewalMilliseconds).unref()
}

function queueOf(
  handler: DurableEventHandler,
  { clock, logger }: Pick<DurableDeliveryParts, 'clock' | 'logger'>,
): Queue<AppEventRow> {
  return {
    table: eventTable,
    commands: eventCommands,
    async deliver(row, signal) {
      await handler.handle(eventOf(row), { signal })
    },
    failureOf: (error, row) => ({
      code: isTimeout(error) ? 'timeout' : 'error',
      isFinal: isOverdue(row.created_at, clock.now()),
    }),
    reportFailure(row, { error, failure }) {
      const { type } = eventOf(row)
      const fields = { err: error, event: type, id: row.id, tries: row.tries }
      const message = failure.isFinal
        ? `the app did not handle an event for ${deliveryDays} days; it is not tried again`
        : 'the function onEvent.handle of the app failed; it is called again'
      logger.error(fields, message)
    },
  }
}

/** Returns the event of a row. `announceEvent` has written its JSON, without `at`. */
function eventOf({ id, event, created_at: createdAt }: AppEventRow): DurableAppEvent {
  return { ...(JSON.parse(event) as AppEvent), at: new Date(createdAt), id }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}
