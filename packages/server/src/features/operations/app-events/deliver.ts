// Delivers events to the `onEvent` of the app: at once in this process, or from the database.

import type { Clock, Logger } from 'keystile/internal'
import type { Reading } from '../../../feature/metric.ts'
import type { Database } from '../../../storage/database.ts'
import { openLease, type LeaseParts } from '../lease/lease.ts'
import { createQueueGauges } from '../queue/gauges.ts'
import { startWorker, type Queue } from '../queue/worker.ts'
import type { AppEvent, DurableAppEvent, DurableEventHandler } from './app-event.ts'
import { deadEvents, waitingEvents, type AppEventOptions } from './feature.ts'
import { deliveryDays, isOverdue } from './lifetimes.ts'
import { countEvents, eventCommands, eventTable, storeHandler } from './store.ts'
import type { AppEventRow } from './tables.ts'

/** How often a process with a durable handler stores in the database that the app has a handler. */
const handlerRenewalMilliseconds = 60 * 60 * 1000

export interface DeliveryParts {
  readonly onEvent?: AppEventOptions['onEvent']
  readonly database: Pick<Database, 'reader' | 'write' | 'urgent' | 'onCommitted'>
  readonly underLease: LeaseParts['underLease']
  readonly clock: Clock
  readonly logger: Logger
}

export interface EventDelivery {
  /**
   * Returns how many events wait, and how many are dead letters, with the events of all processes.
   */
  readGauges(): readonly Reading[]
  /**
   * Takes no more events. Waits up to 5 s for `handle()` calls that are in progress, and then
   * aborts their signals.
   */
  close(): Promise<void>
}

/** Starts to deliver events, if the app has an `onEvent`. */
export async function startEventDelivery(parts: DeliveryParts): Promise<EventDelivery> {
  const { onEvent, database, clock, logger } = parts
  const readGauges = createQueueGauges({ waiting: waitingEvents, dead: deadEvents }, () =>
    countEvents(database.reader, clock.now()),
  )
  if (typeof onEvent === 'function') deliverAtOnce(database, onEvent, logger)
  const durable = typeof onEvent === 'object' ? await deliverDurably(onEvent, parts) : undefined
  return {
    readGauges,
    close: async () => durable?.close(),
  }
}

/**
 * Calls `onEvent` with each event that this process causes, after the commit. Logs the errors of
 * `onEvent`.
 */
function deliverAtOnce(
  database: Pick<Database, 'onCommitted'>,
  onEvent: (event: AppEvent) => unknown,
  logger: Logger,
): void {
  database.onCommitted((announced) => {
    // Only the notices of `announceEvent()` have a member `type`. TypeScript does not know the
    // types of notices, because threads send them as plain data.
    if (!Object.hasOwn(Object(announced), 'type')) return
    const event = announced as AppEvent
    const report = (error: unknown): void =>
      logger.error({ err: error, event: event.type }, 'the function onEvent of the app failed')

    try {
      Promise.resolve(onEvent(event)).catch(report)
    } catch (error) {
      report(error)
    }
  })
}

/**
 * Stores that this app handles events. While this process holds the lease `events`, it handles the
 * events of all processes. Only processes with a handler try to get this lease: a process without a
 * handler would hold the lease and handle nothing.
 */
async function deliverDurably(
  handler: DurableEventHandler,
  { database, underLease, clock, logger }: DeliveryParts,
): Promise<Pick<EventDelivery, 'close'>> {
  const renewHandler = (): Promise<void> => database.write(storeHandler, { name: 'onEvent' })
  await renewHandler()
  const timer = setInterval(() => {
    renewHandler().catch((error: unknown) =>
      logger.warn({ err: error }, 'the handler of events could not be stored'),
    )
  }, handlerRenewalMilliseconds)
  timer.unref()

  const lease = openLease(database, { name: 'events', underLease, logger })
  const queue = queueOf(handler, { clock, logger })
  const worker = startWorker(queue, { database, lease, clock, logger })
  return {
    async close() {
      clearInterval(timer)
      await worker.close()
      await lease.close()
    },
  }
}

function queueOf(
  handler: DurableEventHandler,
  { clock, logger }: Pick<DeliveryParts, 'clock' | 'logger'>,
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
    report(row, failed) {
      if (!failed) return

      const { type } = eventOf(row)
      const fields = { err: failed.error, event: type, id: row.id, tries: row.tries }
      const message = failed.failure.isFinal
        ? `the app did not handle an event for ${deliveryDays} days; it is not tried again`
        : 'the function onEvent.handle of the app failed; it is called again'
      logger.error(fields, message)
    },
  }
}

function eventOf({ id, event, created_at: createdAt }: AppEventRow): DurableAppEvent {
  return { ...(JSON.parse(event) as AppEvent), at: new Date(createdAt), id }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}
