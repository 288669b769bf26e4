import type { Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import type { Users } from '../../users/accounts/users.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { FoundProof } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import { bindReset, resetPassword } from './store.ts'

export interface NewPassword {
  /** The proof. Its user and its mailbox have been checked. */
  readonly proof: FoundProof
  readonly hash: string
  readonly notice: NewMail | undefined
  readonly by: By
}

/**
 * Binds requests and stores new passwords. There are two implementations: `accountPasswords()` for
 * Keystile's own accounts, and `directoryPasswords()` for the users of an app.
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

/** Stores new passwords in Keystile's own accounts, in the transaction that spends the proof. */
export function accountPasswords(
  database: Pick<Database, 'write'>,
  { users, clock }: { readonly users: Pick<Users, 'settle'>; readonly clock: Clock },
): PasswordStore {
  return {
    bind: bindReset,
    async setPassword(wanted) {
      const { isReset } = await database.write(resetPassword, { ...wanted, now: clock.now() })
      if (isReset) await users.settle()
      return isReset
    },
  }
}
