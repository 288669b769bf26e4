// Stores, binds, spends and deletes mail proofs in the commands of the flows. A proof is stored
// unbound, bound to a user and a mailbox, and then spent once.
import { inTables, type Transaction } from '../../../storage/database.ts'
import { insertMail, tryInsertMail } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import type { MailShare } from '../outbox/shares.ts'
import { maxLiveProofs } from './feature.ts'
import { proofKinds } from './kinds.ts'
import type { MailProofRow, MailProofTables } from './tables.ts'

export async function insertProof(transaction: Transaction, row: MailProofRow): Promise<void> {
  await inTables<MailProofTables>(transaction).insertInto('mail_proof').values(row).execute()
}

export interface Binding {
  readonly subject: string
  readonly mailbox: string
}

/** Inserts a proof that is bound at once, because the transaction knows the user. */
export async function insertBoundProof(
  transaction: Transaction,
  row: MailProofRow,
  { now, ...binding }: Binding & { readonly now: number },
): Promise<void> {
  const bound = { ...binding, counted_for: binding.subject, resolved_at: now }
  await insertProof(transaction, { ...row, ...bound })
}

/** The shares of mails that strangers can request. */
export type RequestShare = Extract<MailShare, 'requested' | 'reset' | 'taken'>

/** What a proof is bound to after the look-up of a request: the user, the mailbox and the mail. */
export interface BindValues extends Binding {
  readonly id: string
  /** Encrypted data of the purpose, or null. */
  readonly sealed: string | null
  readonly mail: NewMail
  readonly recipient: string
  /** The subject of the user whom the mail is about. Default: `subject`. */
  readonly about?: string | undefined
  /** The share of the mailbox that the mail counts for, unless it counts for `allowance`. */
  readonly share: RequestShare
  /** See `Resolution.device`. */
  readonly device: string | undefined
  /**
   * Whether wrong codes stay counted for the name or address that the caller typed. If false, they
   * are counted for the user as soon as the proof is bound to the user.
   */
  readonly keepsCount?: boolean | undefined
  readonly now: number
}

/**
 * Stores the mail of a request and binds the proof to the user. The mail of a known device has two
 * shares of the mailbox: its own, and that of strangers (`share`). If `mayBind` is false, or if the
 * mailbox already got too many mails, stores no mail and leaves the proof unbound: a bound proof
 * without a mail could evict a proof whose mail was sent.
 */
export async function bindWithMail(
  transaction: Transaction,
  { mail, recipient, about, share, ...values }: BindValues,
  mayBind = true,
): Promise<void> {
  const { id, device, now } = values
  const addressee = { subject: about ?? values.subject, recipient, now }
  const isAllowed =
    mayBind &&
    device !== undefined &&
    (await tryInsertMail(transaction, mail, { ...addressee, share: 'allowance' }))
  const isStored =
    isAllowed || (mayBind && (await insertMail(transaction, mail, { ...addressee, share })))
  if (isStored) await bindProof(transaction, values)
  else await leaveProofsUnbound(transaction, { ids: [id], now })
}

/**
 * Binds a proof to a user and a mailbox, so that it can be spent. Only the user's newest three
 * proofs for one purpose stay bound. Proofs that a known device asked for are counted separately
 * (the column `allowance`), so requests of strangers cannot unbind them. The rows of older proofs
 * stay until they expire: if rows disappeared, a caller could measure this and learn that the user
 * exists.
 */
async function bindProof(
  transaction: Transaction,
  values: Omit<BindValues, 'mail' | 'recipient' | 'about' | 'share'>,
): Promise<void> {
  const db = inTables<MailProofTables>(transaction)
  const { id, subject, mailbox, sealed, device: allowance = null, keepsCount, now } = values
  const counted = keepsCount ? {} : { counted_for: subject }
  const bound = await db
    .updateTable('mail_proof')
    .set({ subject, mailbox, allowance, ...counted, sealed, resolved_at: now })
    .where('id', '=', id)
    .where('resolved_at', 'is', null)
    .returning(['purpose'])
    .executeTakeFirst()
  if (!bound)
    throw new Error('a request must be resolved only once; this one is already resolved or deleted')

  await db
    .updateTable('mail_proof')
    .set({ subject: null, mailbox: null, sealed: null })
    .where('id', 'in', (from) =>
      from
        .selectFrom('mail_proof')
        .select('id')
        .where('subject', '=', subject)
        .where('purpose', '=', bound.purpose)
        .where('allowance', 'is not distinct from', allowance) // true for null and null
        .where('id', '!=', id)
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(1_000) // more than there can be; SQLite has no `offset` without `limit`
        .offset(maxLiveProofs - 1),
    )
    .execute()
}

/**
 * Marks requests as resolved without binding them. Their rows stay until they expire, but their
 * links and codes do not work.
 */
export async function leaveProofsUnbound(
  transaction: Transaction,
  { ids, now }: { readonly ids: readonly string[]; readonly now: number },
): Promise<void> {
  await inTables<MailProofTables>(transaction)
    .updateTable('mail_proof')
    .set({ sealed: null, resolved_at: now })
    .where('id', 'in', ids)
    .where('resolved_at', 'is', null)
    .execute()
}

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
export async function isBound(
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

/**
 * Deletes the proofs of a user.
 *
 * @param purposes the purposes whose proofs are deleted; undefined deletes all proofs
 */
export async function eraseProofs(
  transaction: Transaction,
  erased: { readonly subject: string; readonly purposes?: readonly string[] | undefined },
): Promise<void> {
  const { subject, purposes } = erased
  const all = inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where('subject', '=', subject)
  await (purposes === undefined ? all : all.where('purpose', 'in', purposes)).execute()
}

/**
 * Deletes the proofs of a user, except the link that undoes the first second factor. The owner of
 * the mailbox keeps it, because a thief with the password can cause what cancels the other links.
 */
export async function cancelProofs(transaction: Transaction, subject: string): Promise<void> {
  await inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where('subject', '=', subject)
    .where('purpose', '!=', proofKinds.factorUndo.purpose)
    .execute()
}

/**
 * Deletes all proofs of one purpose for a mailbox, whichever user they are bound to. Returns the
 * subjects of the deleted proofs.
 */
export async function eraseProofsFor(
  transaction: Transaction,
  { purpose, mailbox }: { readonly purpose: string; readonly mailbox: string },
): Promise<readonly Pick<MailProofRow, 'subject'>[]> {
  return inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where((row) => row.and({ mailbox, purpose }))
    .returning('subject')
    .execute()
}
