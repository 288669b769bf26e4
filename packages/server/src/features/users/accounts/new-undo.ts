import type { NewMail } from '../../mail/outbox/new-mail.ts'

/** The link with which the reader of the old mailbox restores the old address. */
export interface NewUndo {
  readonly tokenHash: string
  readonly expiresAt: number
  readonly mail: NewMail
  /**
   * A mail without a link. Keystile sends it instead of `mail` if the new address is verified and
   * the old address never was.
   */
  readonly notice: NewMail | undefined
}

export interface RestoredAccount {
  readonly subject: string
  readonly email: string
  /** The address in the form in which mailboxes are compared. */
  readonly mailbox: string
  /** Whether `email` is verified. */
  readonly isVerified: boolean
  /**
   * The address that the account had before `email` was restored. Undefined if the account had no
   * address, or an address of the same mailbox as `email`.
   */
  readonly replaced: { readonly recipient: string; readonly isVerified: boolean } | undefined
  readonly isActive: boolean
}
