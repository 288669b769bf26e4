// The rows of mails as both databases store them.
import type { QueuedRow } from '../queue/rows.ts'

/** A mail that waits to be sent, or a dead letter. The row is deleted when the mail is sent. */
export interface MailRow extends QueuedRow {
  readonly template: string
  /** The user whom the mail is about. */
  readonly subject: string
  /** The address that the mail goes to. */
  readonly recipient: string
  /** The encrypted parameters of the template; null if the template has no parameters. */
  readonly sealed: string | null
}

/** The table of mails. */
export interface OutboxTables {
  readonly mail: MailRow
}
