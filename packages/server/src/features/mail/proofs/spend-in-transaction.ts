// Spends proofs that were found to be valid, in the commands of the flows.
import { inTables, type Transaction } from '../../../storage/database.ts'
import type { Binding } from './bind-in-transaction.ts'
import type { MailProofTables } from './tables.ts'

/**
 * A proof, from a link or a code in a mail, that was found to be valid. It is spent later, in the
 * transaction that makes the change.
 */
export interface SpendableProof extends Binding {
  readonly id: string
  readonly purpose: string
}

/**
 * Spends a proof in the transaction that also makes the change. If the change fails, the proof is
 * not spent.
 *
 * @returns whether this call spent the proof. False if another call has already spent it, or if the
 *   proof expired or is bound to another user or mailbox
 */
export async function spendProof(
  transaction: Transaction,
  { id, purpose, subject, mailbox, now }: SpendableProof & { readonly now: number },
): Promise<boolean> {
  const spent = await inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where((row) => row.and({ id, purpose, subject, mailbox }))
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return spent !== undefined
}

/**
 * Locks a proof until the end of the transaction, and does NOT spend it. Use it before a change
 * that may still fail.
 *
 * @returns whether `spendProof()` would spend it
 */
export async function lockProof(
  transaction: Transaction,
  { id, purpose, subject, mailbox, now }: SpendableProof & { readonly now: number },
): Promise<boolean> {
  // This update changes no value. It locks the row and compares its newest version.
  const locked = await inTables<MailProofTables>(transaction)
    .updateTable('mail_proof')
    .set((row) => ({ tries: row.ref('tries') }))
    .where((row) => row.and({ id, purpose, subject, mailbox }))
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return locked !== undefined
}

/** Whether a user has a proof for a purpose in a mailbox that was not spent and has not expired. */
export async function hasProof(
  transaction: Transaction,
  { now, ...bound }: Omit<SpendableProof, 'id'> & { readonly now: number },
): Promise<boolean> {
  const found = await inTables<MailProofTables>(transaction)
    .selectFrom('mail_proof')
    .select('id')
    .where((row) => row.and(bound))
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return found !== undefined
}
