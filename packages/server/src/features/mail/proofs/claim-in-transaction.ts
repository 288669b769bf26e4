// Claims a proof while an app stores a new password in its own database
// (decisions/0024-new-passwords-of-an-apps-own-users.md).
import { inTables, type Transaction } from '../../../storage/database.ts'
import { claimMilliseconds } from './feature.ts'
import type { SpendableProof } from './spend-in-transaction.ts'
import type { MailProofTables } from './tables.ts'

/** A proof that one confirmation has claimed, so that no other confirmation can use it. */
export interface ClaimedProof extends SpendableProof {
  /** The end of the claim, in milliseconds. Two claims of one proof never end at the same time. */
  readonly claimedUntil: number
}

/**
 * Claims a proof for 30 s, while the app stores the change in its own database. Until the claim is
 * released or expires, no other confirmation can use the proof. The proof is NOT spent: if the
 * process is killed, the claim expires and the proof works again.
 *
 * @returns the claim; `claimed` while another confirmation has the proof; `gone` for a proof that
 *   was spent, has expired, or is bound to another user or mailbox
 */
export async function claimProof(
  transaction: Transaction,
  proof: SpendableProof & { readonly now: number },
): Promise<ClaimedProof | 'claimed' | 'gone'> {
  const { id, purpose, subject, mailbox, now } = proof
  const db = inTables<MailProofTables>(transaction)
  const bound = { id, purpose, subject, mailbox }
  const claimedUntil = now + claimMilliseconds

  const claimed = await db
    .updateTable('mail_proof')
    .set({ claimed_until: claimedUntil })
    .where((row) => row.and(bound))
    .where('expires_at', '>', now)
    .where((row) => row.or([row('claimed_until', 'is', null), row('claimed_until', '<=', now)]))
    .returning('id')
    .executeTakeFirst()
  if (claimed) return { ...bound, claimedUntil }

  const held = await db
    .selectFrom('mail_proof')
    .select('id')
    .where((row) => row.and(bound))
    .where('claimed_until', '>', now)
    .executeTakeFirst()
  return held ? 'claimed' : 'gone'
}

/**
 * Releases a claim, so that the proof works again. Does nothing if another call has claimed the
 * proof in the meantime.
 */
export async function releaseProof(
  transaction: Transaction,
  { id, claimedUntil }: Pick<ClaimedProof, 'id' | 'claimedUntil'>,
): Promise<void> {
  await inTables<MailProofTables>(transaction)
    .updateTable('mail_proof')
    .set({ claimed_until: null })
    .where('id', '=', id)
    .where('claimed_until', '=', claimedUntil)
    .execute()
}
