// The rows of mails as both databases store them. Times are integers in milliseconds.

/** A mail that waits to be sent, or a dead letter. The row is deleted when the mail is sent. */
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
  /**
   * The time at which the mail expires. After it, the mail is not sent, and housekeeping deletes
   * it.
   */
  readonly expires_at: number
  /** How many times a process has started to send the mail. */
  readonly tries: number
  readonly next_try_at: number
  /** When the mail became a dead letter; null if it still waits. */
  readonly dead_at: number | null
  /** Why the last try failed: a code, never a text from the mail server. */
  readonly failure: string | null
}

/** The table of mails. */
export interface OutboxTables {
  readonly mail: MailRow
}
