// Requests for proofs, and how a proof is found by its link. `code-store.ts` finds it by its code.
import { hashSecret } from '../../../base/secret.ts'
import type { OfUser } from '../../../feature/of-user.ts'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { insertProof, leaveProofsUnbound, type Binding } from './bind-in-transaction.ts'
import { eraseAllProofs } from './erase-in-transaction.ts'
import { proofKinds } from './kinds.ts'
import type { MailProofRow, MailProofTables } from './tables.ts'

/** Stores a request for a proof. The resolver looks up the account later. */
export const requestProof: Command<MailProofRow, void> = command('requestProof', insertProof)

/**
 * Returns the oldest requests that the resolver has not resolved yet.
 *
 * @param page.after the last request of the previous list; undefined for the first list
 */
export function listUnresolved(
  reader: Reader,
  page: { readonly now: number; readonly limit: number; readonly after: MailProofRow | undefined },
): Promise<readonly MailProofRow[]> {
  const { now, limit, after } = page
  const { created_at: time, id } = after ?? { created_at: 0, id: '' }
  return inTables<MailProofTables>(reader)
    .selectFrom('mail_proof')
    .selectAll()
    .where('resolved_at', 'is', null)
    .where('expires_at', '>', now)
    .where('created_at', '>=', time) // with this condition, the index begins at the right row
    .where((row) =>
      row.or([
        row('created_at', '>', time),
        row.and([row('created_at', '=', time), row('id', '>', id)]),
      ]),
    )
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute()
}

/**
 * Marks requests as resolved if they get no mail, for example because there is no account. Their
 * links and codes never work.
 */
export const leaveUnbound: Command<
  { readonly ids: readonly string[]; readonly now: number },
  void
> = command('leaveUnbound', leaveProofsUnbound)

export type BoundProofRow = MailProofRow & Binding

/** Of which purpose a proof must be, and when it must be valid. */
export interface Valid {
  readonly purpose: string
  readonly now: number
}

/** Finds a bound proof by the token of its link. Does NOT spend it. */
export async function findByToken(
  reader: Reader,
  { token, purpose, now }: Valid & { readonly token: string },
): Promise<BoundProofRow | undefined> {
  const found = await inTables<MailProofTables>(reader)
    .selectFrom('mail_proof')
    .selectAll()
    .where((row) => row.and({ token_hash: hashSecret(token), purpose }))
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return found && asBound(found)
}

/**
 * Returns bound proofs of a purpose in the order of their mailboxes. The purpose must have at most
 * one proof for each mailbox.
 *
 * @param page.after a mailbox. The list starts with the mailbox that follows in the order
 */
export async function listBound(
  reader: Reader,
  { purpose, now, after, limit }: Valid & { readonly after: string; readonly limit: number },
): Promise<readonly BoundProofRow[]> {
  const rows = await inTables<MailProofTables>(reader)
    .selectFrom('mail_proof')
    .selectAll()
    .where('purpose', '=', purpose)
    .where('subject', 'is not', null)
    .where('mailbox', '>', after)
    .where('expires_at', '>', now)
    .orderBy('mailbox')
    .limit(limit)
    .execute()
  return rows.flatMap((row) => asBound(row) ?? [])
}

/** Returns the row as a bound proof, or undefined if it is not bound. */
export function asBound(row: MailProofRow): BoundProofRow | undefined {
  const { subject, mailbox } = row
  return subject === null || mailbox === null ? undefined : { ...row, subject, mailbox }
}

export const ofUser: OfUser = {
  erase: eraseAllProofs,
  // Without its undo link, the owner could not remove a factor that the backup has.
  async restored(transaction) {
    const { numDeletedRows } = await inTables<MailProofTables>(transaction)
      .deleteFrom('mail_proof')
      .where('purpose', '!=', proofKinds.factorUndo.purpose)
      .executeTakeFirstOrThrow()
    return { links_deleted: Number(numDeletedRows) }
  },
}
