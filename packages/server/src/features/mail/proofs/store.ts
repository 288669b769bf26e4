import { countedMailbox } from '../../../base/mailbox.ts'
import { hashSecret, isSecretOf } from '../../../base/secret.ts'
import type { OfUser } from '../../../feature/of-user.ts'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { countUses, refundUses } from '../../operations/limits/in-transaction.ts'
import { useOf, type Use } from '../../operations/limits/uses.ts'
import { eraseProofs, insertProof, leaveProofsUnbound, type Binding } from './in-transaction.ts'
import { codeRate, maxTries } from './feature.ts'
import type { MailProofRow, MailProofTables } from './tables.ts'
import { proofKinds } from './kinds.ts'

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
interface Valid {
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

/**
 * Compares a code with a request, and counts a wrong code. The count commits before the caller gets
 * an answer, so parallel guesses cannot exceed the limits. A right code is not counted. Does NOT
 * spend the proof. If no request has the id, or the request has no account, the work and the
 * result are the same as for a wrong code.
 *
 * @param secrets the result of `codeSecrets()`. For the right code, one of their hashes is stored
 */
export const tryCode: Command<
  Valid & { readonly id: string; readonly secrets: readonly string[] },
  BoundProofRow | undefined
> = command('tryCode', async (transaction, { id, secrets, purpose, now }) => {
  const db = inTables<MailProofTables>(transaction)
  const tried = await db
    .updateTable('mail_proof')
    .set((old) => ({ tries: old('tries', '+', 1) }))
    .where((row) => row.and({ id, purpose }))
    .where('tries', '<', maxTries)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst()

  const uses = tried ? usesOf(tried) : unknownUses(id)
  const { wait } = await countUses(transaction, uses, now)
  const stored = tried?.code_hash ?? hashSecret(id)
  const isRight = secrets.some((secret) => isSecretOf(secret, stored))
  const bound = tried && asBound(tried)
  if (!bound || !isRight || wait > 0) return undefined

  await db
    .updateTable('mail_proof')
    .set((old) => ({ tries: old('tries', '-', 1) }))
    .where('id', '=', id)
    .execute()
  await refundUses(transaction, { uses, at: now }, now)
  return bound
})

/**
 * Returns the uses of a wrong code: one for the user or for what the caller typed, and one for the
 * mailbox. A user who has not verified the address could otherwise delete the account, register
 * again, and get more tries for the same mailbox. If there is no mailbox, counts twice anyway, so
 * that the work does not reveal whether there is an account.
 */
function usesOf({ counted_for, mailbox }: MailProofRow): readonly Use[] {
  const counted = mailbox === null ? counted_for : countedMailbox(mailbox)
  return [useOf(codeRate, counted_for), useOf(codeRate, `mailbox\n${counted}`)]
}

/**
 * A limit that never refuses. It does the same work as `codeRate`. It need not limit callers,
 * because no code is right for an unknown id.
 */
const unknownRate = { ...codeRate, name: 'mail-code-unknown', intervalMilliseconds: 0 }

/**
 * Returns as many uses as `usesOf()`, for an id that no request has. Callers can make up any number
 * of ids, so all of them share 1,024 keys, which the counts of requests never use.
 */
function unknownUses(id: string): readonly Use[] {
  const pair = Buffer.from(id, 'base64url').readUInt16BE() % 512
  return [useOf(unknownRate, String(pair)), useOf(unknownRate, `mailbox\n${pair}`)]
}

function asBound(row: MailProofRow): BoundProofRow | undefined {
  const { subject, mailbox } = row
  return subject === null || mailbox === null ? undefined : { ...row, subject, mailbox }
}

export const ofUser: OfUser = {
  erase: eraseProofs,
  // Without its undo link, the owner could not remove a factor that the backup has.
  async restored(transaction) {
    const { numDeletedRows } = await inTables<MailProofTables>(transaction)
      .deleteFrom('mail_proof')
      .where('purpose', '!=', proofKinds.factorUndo.purpose)
      .executeTakeFirstOrThrow()
    return { links_deleted: Number(numDeletedRows) }
  },
}
