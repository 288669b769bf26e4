// The rows of mails as both databases store them.
import type { QueuedRow } from '../../operations/queue/rows.ts'

/** A mail that waits to be sent, or a dead letter. The row is deleted when the mail is sent. */
export interface MailRow extends QueuedRow {
  readonly template: string
  /** The user whom the mail is about. */
  readonly subject: string
  readonly recipient: string
  /** The encrypted parameters of the template; null if the template has no parameters. */
  readonly sealed: string | null
}

/**
 * Mails of one template to one mailbox that were dropped, because the mailbox got too many mails.
 * They are one row, so an attacker cannot fill the table by repeating a request.
 */
export interface DroppedMailRow {
  /** The template and the mailbox, in the form in which mailboxes are counted. */
  readonly id: string
  readonly template: string
  /** The user whom the last of these mails was about. */
  readonly subject: string
  /** The address that the last of these mails would have gone to. */
  readonly recipient: string
  readonly drops: number
  /** When the last of these mails was dropped, in milliseconds. */
  readonly dropped_at: number
  readonly expires_at: number
}

export interface OutboxTables {
  readonly mail: MailRow
  readonly dropped_mail: DroppedMailRow
}
