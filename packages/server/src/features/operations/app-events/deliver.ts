// Delivers events to the `onEvent` of the app: at once in this process, or from the database
// (`durable-delivery.ts`).

import type { Logger } from 'keystile/internal'
import type { Reading } from '../../../feature/metric.ts'
import type { Database } from '../../../storage/database.ts'
import { createQueueGauges } from '../queue/gauges.ts'
import type { AppEvent } from './app-event.ts'
import { deliverDurably, type DurableDeliveryParts } from './durable-delivery.ts'
import { deadEvents, waitingEvents, type AppEventOptions } from './feature.ts'
import { countEvents } from './store.ts'

export interface DeliveryParts extends DurableDeliveryParts {
  readonly onEvent?: AppEventOptions['onEvent']
  readonly database: DurableDeliveryParts['database'] & Pick<Database, 'onCommitted'>
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
  database.onCommitted((notice) => {
    if (!isAppEvent(notice)) return
    const report = (error: unknown): void =>
      logger.error({ err: error, event: notice.type }, 'the function onEvent of the app failed')

    try {
      Promise.resolve(onEvent(notice)).catch(report)
    } catch (error) {
      report(error)
    }
  })
}

/**
 * Whether a notice is one of `announceEvent()`: only these have a member `type`. TypeScript does
 * not know the types of notices, because threads send them as plain data.
 */
function isAppEvent(notice: unknown): notice is AppEvent {
  return Object.hasOwn(Object(notice), 'type')
}
