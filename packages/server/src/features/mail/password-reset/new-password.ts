import type { By } from '../../operations/audit/entry.ts'
import type { FoundProof } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import type { NewMail } from '../outbox/new-mail.ts'

export interface NewPassword {
  /** The proof. Its user and its mailbox have been checked. */
  readonly proof: FoundProof
  readonly hash: string
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
   * resolves, this process already refuses the tokens of the ended sessions.
   *
   * @returns false if the proof was already spent, or if the account or its address has changed
   */
  setPassword(wanted: NewPassword): Promise<boolean>
}
