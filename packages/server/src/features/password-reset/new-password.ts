import type { By } from '../audit/entry.ts'
import type { FoundProof } from '../mail-proofs/proofs.ts'
import type { ProofPurpose } from '../mail-proofs/purpose.ts'
import type { NewMail } from '../outbox/new-mail.ts'

/** A new password that a link or a code allows. */
export interface NewPassword {
  /** The proof, whose user and mailbox were checked. */
  readonly proof: FoundProof
  readonly hash: string
  /** The mail that tells the user about the new password. */
  readonly notice: NewMail | undefined
  readonly by: By
}

/**
 * Binds requests and stores new passwords. There are two implementations: `in-accounts.ts` for
 * Keystile's own accounts, and `in-directory.ts` for the users of an app.
 */
export interface PasswordStore {
  /** Binds a request for a new password to its user, and stores the mail. */
  readonly bind: ProofPurpose['bind']
  /**
   * Spends the proof, sets the new password and ends all sessions of the user. When the promise
   * resolves, this process refuses the tokens of the ended sessions.
   *
   * @returns false if the proof was spent, or if the user or the address has changed
   */
  setPassword(wanted: NewPassword): Promise<boolean>
}
