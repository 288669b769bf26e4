// The rows of events as both databases store them.
import type { QueuedRow } from '../queue/rows.ts'

/** An event that the app has not handled yet. An event that was handled has no row. */
export interface AppEventRow extends QueuedRow {
  /** An `AppEvent` without `at`, as JSON. `created_at` is the time of the change. */
  readonly event: string
}

/** The tables of events for the app. */
export interface AppEventTables {
  readonly app_event: AppEventRow
  /**
   * Whether an app wants events in the database. It has at most one row, whose time is by the clock
   * of the database, in milliseconds.
   */
  readonly event_handler: { readonly name: string; readonly expires_at: number }
}
