// The rows of mails as both databases store them. Times are integers in milliseconds.

/** A mail that waits to be sent, or that could not be sent. A mail that was sent has no row. */
export interface MailRow {
  readonly id: string
  readonly template: string
  /** The user whom the mail is about. */
  readonly subject: string
  /** The address that the mail goes to. */
  readonly recipient: string
  /** The encrypted parameters of the template; null if it has none. */
  readonly sealed: string | null
  readonly created_at: number
  /** From this time on, the mail is not sent any more, and housekeeping erases it. */
  readonly expires_at: number
  /** How often a process has begun to send the mail. */
  readonly tries: number
  readonly next_try_at: number
  /** When the mail became a dead letter, which is not tried again; null if it still waits. */
  readonly dead_at: number | null
  /** Why the last try failed: a code and never a text of the mail server. */
  readonly failure: string | null
}

/** The table of mails. */
export interface OutboxTables {
  readonly mail: MailRow
}
