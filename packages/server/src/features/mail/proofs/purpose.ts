import type { Command } from '../../../storage/database.ts'
import type { MailParameters } from '../outbox/new-mail.ts'
import type { BindValues, RequestShare } from './bind-in-transaction.ts'
import type { ProofKind } from './kinds.ts'

/** What `resolve()` has found for a request: the user, and where the mail goes. */
export interface Resolution {
  readonly subject: string
  /**
   * The mailbox that the proof is bound to: the address in the form that is used to compare
   * mailboxes.
   */
  readonly mailbox: string
  /** The address that the mail goes to, as the user typed it. */
  readonly recipient: string
  /** A mail that is sent instead, without a link and a code: the address is taken. */
  readonly notice?: { readonly template: string; readonly parameters: MailParameters }
  /** The share that the mail counts for. Default: `taken` for a notice, otherwise `requested`. */
  readonly share?: RequestShare | undefined
  /** Values that the proof keeps, encrypted, until it is spent. */
  readonly data?: MailParameters | undefined
  /**
   * The id of the known device that asked for the mail. The mail then counts for the share
   * `allowance` of the mailbox, which strangers cannot use up. So it must be undefined if the
   * address is not verified: strangers can register the address of another person, and then log in
   * on any number of devices.
   */
  readonly device?: string | undefined
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
   * Looks up the user of a request. The resolver calls this function after the caller has got the
   * answer, so the answer cannot reveal whether there is an account.
   *
   * @param request the values that were passed to `MailProofs.request()`
   * @returns undefined to send no mail. In this case, the link and the code of the request never
   *   work
   */
  resolve(request: MailParameters): Promise<Resolution | undefined>
  /** Binds the proof and stores the mail. Checks again what `resolve()` has read. */
  readonly bind: Command<BindValues, void>
}
