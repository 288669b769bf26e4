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
