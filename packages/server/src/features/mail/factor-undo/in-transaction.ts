// What the transaction that adds the first second factor of a user does with the proofs of this
// user. The writer thread loads this file.
import type { Transaction } from '../../../storage/database.ts'
import { eraseProofs, insertBoundProof } from '../proofs/in-transaction.ts'
import type { LinkedProof } from '../proofs/new-proof.ts'

/**
 * Deletes all proofs of the user: a change of the address that was asked for before must not go
 * around the factor. Then stores the link that undoes the factor, if there is one.
 *
 * @param options.mailbox the address of the account, in the form in which mailboxes are compared
 */
export async function replaceProofs(
  transaction: Transaction,
  {
    subject,
    mailbox,
    undo,
    now,
  }: {
    readonly subject: string
    readonly mailbox: string | null | undefined
    readonly undo: LinkedProof | undefined
    readonly now: number
  },
): Promise<void> {
  await eraseProofs(transaction, { subject })
  if (undo && mailbox) await insertBoundProof(transaction, undo.row, { subject, mailbox, now })
}
