// Erases the proofs of a user or a mailbox, so that their links and codes stop working.
import { inTables, type Transaction } from '../../../storage/database.ts'
import { proofKinds } from './kinds.ts'
import type { MailProofRow, MailProofTables } from './tables.ts'

/** Erases the proofs of a user for all purposes. */
export async function eraseAllProofs(
  transaction: Transaction,
  { subject }: { readonly subject: string },
): Promise<void> {
  await inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where('subject', '=', subject)
    .execute()
}

/** Erases the proofs of a user for one purpose. */
export async function eraseProofsFor(
  transaction: Transaction,
  { subject, purpose }: { readonly subject: string; readonly purpose: string },
): Promise<void> {
  await inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where((row) => row.and({ subject, purpose }))
    .execute()
}

/** Erases the proofs of a user for all purposes but one. */
export async function eraseProofsExcept(
  transaction: Transaction,
  { subject, purpose }: { readonly subject: string; readonly purpose: string },
): Promise<void> {
  await inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where('subject', '=', subject)
    .where('purpose', '!=', purpose)
    .execute()
}

/**
 * Erases the proofs of a user, except the link that undoes the first second factor. The owner of
 * the mailbox keeps this link, because a thief with the password can cause the change that erases
 * the others.
 */
export async function eraseProofsExceptFactorUndo(
  transaction: Transaction,
  subject: string,
): Promise<void> {
  await eraseProofsExcept(transaction, { subject, purpose: proofKinds.factorUndo.purpose })
}

/**
 * Erases all proofs of one purpose for a mailbox, whichever user they are bound to. Returns the
 * subjects of the erased proofs.
 */
export async function eraseProofsOfMailbox(
  transaction: Transaction,
  { mailbox, purpose }: { readonly mailbox: string; readonly purpose: string },
): Promise<readonly Pick<MailProofRow, 'subject'>[]> {
  return inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where((row) => row.and({ mailbox, purpose }))
    .returning('subject')
    .execute()
}
