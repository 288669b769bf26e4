import type { Logger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import type { AppEvent } from './app-event.ts'

/**
 * Calls `onEvent` with each event of this process, after the commit. Logs the errors of `onEvent`.
 */
export function deliverEvents(
  database: Pick<Database, 'onCommitted'>,
  onEvent: (event: AppEvent) => unknown,
  logger: Logger,
): void {
  database.onCommitted((announced) => {
    // `announced` is an `AppEvent`, because only `announceEvent()` calls `announce()`. The type is
    // lost because threads send events as plain data.
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
