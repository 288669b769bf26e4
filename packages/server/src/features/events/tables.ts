// Rows as both databases hold them. Instants are integers in milliseconds, lists and profiles are
// JSON text.

/**
 * An end of a session, subject or client. Numbered by the feed after it was committed, so that
 * numbers appear in order.
 */
export interface EventRow {
  readonly id: string
  readonly seq: number | null
  readonly kind: 'session' | 'subject' | 'client'
  readonly value: string
  readonly created_at: number
  readonly expires_at: number
}

/** The one row whose lock serializes numbering. */
export interface FeedRow {
  readonly id: number
  readonly seq: number
}

/** The tables of the feed of revocations. */
export interface EventTables {
  readonly event: EventRow
  readonly feed: FeedRow
}
