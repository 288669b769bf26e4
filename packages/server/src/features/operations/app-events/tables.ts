// The rows of events as both databases store them.
import type { QueuedRow } from '../queue/rows.ts'

/** An event that the app has not handled yet. The row is deleted when the event is handled. */
export interface AppEventRow extends QueuedRow {
  /** An `AppEvent` without `at`, as JSON. `created_at` is the time of the change. */
  readonly event: string
}

export interface AppEventTables {
  readonly app_event: AppEventRow
  /**
   * The table `event_handler`. While an app handles durable events, the table has one row, whose
   * `expires_at` is in the future. The table never has a second row. `expires_at` is in
   * milliseconds, by the clock of the database.
   */
  readonly event_handler: { readonly name: string; readonly expires_at: number }
}
