// The rows of events as both databases store them. Times are integers in milliseconds.

import type { RevocationEvent } from 'keystile/internal'

/**
 * An event that revokes the tokens of a session, a subject, a client or a signing key, or that says
 * that the record of a user has changed. An event gets its number `seq` after its commit, so that
 * readers see the numbers appear in order.
 */
export interface EventRow {
  readonly id: string
  /** The number of the event; null until the event is numbered. */
  readonly seq: number | null
  readonly kind: RevocationEvent['kind'] | 'user'
  /** The id of the session, the subject, the client, the key or the user. */
  readonly value: string
  readonly created_at: number
  readonly expires_at: number
}

/**
 * The only row of the table `feed`. `seq` is the highest number of an event. A transaction that
 * numbers events locks this row, so that two transactions cannot number events at the same time.
 */
export interface FeedRow {
  readonly id: number
  readonly seq: number
}

export interface EventTables {
  readonly event: EventRow
  readonly feed: FeedRow
}
