import type { Transaction } from '../../../storage/database.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import { insertProof } from '../proofs/in-transaction.ts'
import type { NewProof } from '../proofs/new-proof.ts'

/** A proof that the transaction of a change binds to the user, and the mail with its link. */
export interface LinkedProof {
  readonly row: NewProof['row']
  readonly mail: NewMail
}

/**
 * Binds the link that undoes a first factor to the mailbox that it was sent to.
 *
 * @param mailbox the address of the account, in the form in which mailboxes are compared
 */
export async function bindUndo(
  transaction: Transaction,
  { row }: LinkedProof,
  { subject, mailbox, now }: { readonly subject: string; readonly mailbox: string; now: number },
): Promise<void> {
  const bound = { subject, mailbox, counted_for: subject, resolved_at: now }
  await insertProof(transaction, { ...row, ...bound })
}
