// What the transaction that adds the first second factor of a user does with the proofs of this
// user. The writer thread loads this file.
import type { Transaction } from '../../../storage/database.ts'
import { insertBoundProof } from '../proofs/bind-in-transaction.ts'
import { eraseAllProofs, eraseProofsExcept } from '../proofs/erase-in-transaction.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { LinkedProof } from '../proofs/new-proof.ts'

/**
 * Deletes the proofs of the user: a change of the address that was asked for before must not go
 * around the factor. Links for a new password stay if the address is verified: a thief with the
 * password could otherwise keep the owner from every link
 * (decisions/0073-a-changed-password-leaves-the-links-of-the-mailbox.md). Then stores the link that
 * undoes the factor, if there is one.
 *
 * @param options.mailbox the address of the account, in the form in which mailboxes are compared
 */
export async function replaceProofs(
  transaction: Transaction,
  {
    subject,
    mailbox,
    isVerified,
    undo,
    now,
  }: {
    readonly subject: string
    readonly mailbox: string | null | undefined
    /** Whether the address of the account is verified. */
    readonly isVerified: boolean
    readonly undo: LinkedProof | undefined
    readonly now: number
  },
): Promise<void> {
  const { purpose } = proofKinds.passwordReset
  if (isVerified) await eraseProofsExcept(transaction, { subject, purpose })
  else await eraseAllProofs(transaction, { subject })

  if (undo && mailbox) await insertBoundProof(transaction, undo.row, { subject, mailbox, now })
}
