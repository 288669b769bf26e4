import type { Command } from '../../storage/database.ts'
import type { MailParameters } from '../outbox/new-mail.ts'
import type { BindValues } from './in-transaction.ts'
import type { ProofKind } from './new-proof.ts'

/** The secrets of a request, for the mail. */
export interface MailSecrets {
  readonly token: string
  /** Empty for a purpose without codes. */
  readonly code: string
  readonly expiresAt: Date
}

/** What `resolve()` has found for a request: the user, and the mail to send. */
export interface Resolution {
  readonly subject: string
  /**
   * The mailbox that the proof is bound to: the address in the form that is used to compare
   * mailboxes.
   */
  readonly mailbox: string
  /** The address that the mail goes to, as the user typed it. */
  readonly recipient: string
  readonly template: string
  /** The values for the text of the mail. */
  readonly parameters: MailParameters
  /** Values that the proof keeps, encrypted, until it is spent. */
  readonly data?: MailParameters | undefined
  /**
   * An id, such as the id of a known device. It gives the mail its own limits, which other mails to
   * the mailbox do not use up: see `CountedAddressee`. Undefined if the mail counts for the limits
   * of the mailbox.
   */
  readonly allowance?: string | undefined
  /**
   * If true, wrong codes stay counted for the name or address that the caller typed. By default,
   * they are counted for the user as soon as the proof is bound to the user.
   */
  readonly keepsCount?: boolean | undefined
}

/**
 * What a link or a code in a mail allows, such as setting a new password. Each purpose is one
 * record.
 */
export interface ProofPurpose extends ProofKind {
  /**
   * Looks up the user of a request, and returns the mail to send. The resolver calls this function
   * after the caller has got the answer, so the answer cannot reveal whether there is an account.
   *
   * @param request the values that were passed to `MailProofs.request()`
   * @returns undefined to send no mail. In this case, the link and the code of the request never
   *   work
   */
  resolve(request: MailParameters, secrets: MailSecrets): Promise<Resolution | undefined>
  /** Binds the proof and stores the mail. Checks again what `resolve()` has read. */
  readonly bind: Command<BindValues, void>
}
