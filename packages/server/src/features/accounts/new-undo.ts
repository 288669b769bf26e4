import type { NewMail } from '../outbox/new-mail.ts'

/** The link with which the reader of the old mailbox restores the old address. */
export interface NewUndo {
  readonly tokenHash: string
  readonly expiresAt: number
  /** The mail with the link. */
  readonly mail: NewMail
}

/** An account whose former address was restored. */
export interface RestoredAccount {
  readonly subject: string
  readonly email: string
  /** The address in the form in which mailboxes are compared. */
  readonly mailbox: string
  readonly isActive: boolean
}
