// The rows of events as both databases store them. Times are integers in milliseconds.

/**
 * A revocation of the tokens of a session, subject or client. The feed gives it a number after its
 * commit, so that numbers appear in order.
 */
export interface EventRow {
  readonly id: string
  /** Null until the feed has numbered it. */
  readonly seq: number | null
  readonly kind: 'session' | 'subject' | 'client'
  /** The id of the session, the subject or the client. */
  readonly value: string
  readonly created_at: number
  readonly expires_at: number
}

/** The only row of its table. Its lock makes numbering sequential. `seq` is the highest number. */
export interface FeedRow {
  readonly id: number
  readonly seq: number
}

/** The tables of the feed of revocations. */
export interface EventTables {
  readonly event: EventRow
  readonly feed: FeedRow
}
