// Stores proofs and binds them to a user and a mailbox, in the commands of the flows. Only a bound
// proof can be spent.
import { inTables, type Transaction } from '../../../storage/database.ts'
import { insertMail, tryInsertMail } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import type { MailShare } from '../outbox/shares.ts'
import { maxLiveProofs } from './feature.ts'
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
  /** The share of the mailbox that the mail counts for, unless it counts for `allowance`. */
  readonly share: RequestShare
  /** See `Resolution.device`. */
  readonly device: string | undefined
  /** See `Resolution.keepsCount`. */
  readonly keepsCount?: boolean | undefined
  readonly now: number
}

/**
 * Stores the mail of a request and binds the proof to the user. If the mailbox already got too many
 * mails, stores no mail and leaves the proof unbound: a bound proof without a mail could evict a
 * proof whose mail was sent.
 *
 * @param about the subject of the user whom the mail is about, if it is not the user of the proof
 */
export async function bindWithMail(
  transaction: Transaction,
  values: BindValues,
  about: string = values.subject,
): Promise<void> {
  if (await insertRequestedMail(transaction, values, about)) await bindProof(transaction, values)
  else await leaveProofUnbound(transaction, values)
}

/**
 * Stores a mail, if its mailbox has room for it. The mail of a known device has two shares of the
 * mailbox: its own, and that of strangers.
 */
async function insertRequestedMail(
  transaction: Transaction,
  { mail, recipient, share, device, now }: BindValues,
  about: string,
): Promise<boolean> {
  const addressee = { subject: about, recipient, now }
  const isAllowed =
    device !== undefined &&
    (await tryInsertMail(transaction, mail, { ...addressee, share: 'allowance' }))
  return isAllowed || insertMail(transaction, mail, { ...addressee, share })
}

async function bindProof(transaction: Transaction, values: BindValues): Promise<void> {
  const { id, subject, mailbox, sealed, device: allowance = null, keepsCount, now } = values
  const counted = keepsCount ? {} : { counted_for: subject }
  const bound = await inTables<MailProofTables>(transaction)
    .updateTable('mail_proof')
    .set({ subject, mailbox, allowance, ...counted, sealed, resolved_at: now })
    .where('id', '=', id)
    .where('resolved_at', 'is', null)
    .returning(['purpose'])
    .executeTakeFirst()
  if (!bound)
    throw new Error('a request must be resolved only once; this one is already resolved or deleted')

  await unbindOlder(transaction, { id, purpose: bound.purpose, subject, allowance })
}

interface Newest extends Pick<MailProofRow, 'id' | 'purpose' | 'allowance'> {
  readonly subject: string
}

/**
 * Unbinds the older proofs of a user for one purpose. Only the newest three stay bound. Proofs that
 * a known device asked for are counted separately (the column `allowance`), so requests of
 * strangers cannot unbind them. The rows stay until they expire: if rows disappeared, a caller
 * could measure this and learn that the user exists.
 */
async function unbindOlder(
  transaction: Transaction,
  { id, purpose, subject, allowance }: Newest,
): Promise<void> {
  await inTables<MailProofTables>(transaction)
    .updateTable('mail_proof')
    .set({ subject: null, mailbox: null, sealed: null })
    .where('id', 'in', (from) =>
      from
        .selectFrom('mail_proof')
        .select('id')
        .where('subject', '=', subject)
        .where('purpose', '=', purpose)
        .where('allowance', 'is not distinct from', allowance) // true for null and null
        .where('id', '!=', id)
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(1_000) // more than there can be; SQLite has no `offset` without `limit`
        .offset(maxLiveProofs - 1),
    )
    .execute()
}

/** Marks one request as resolved, as `leaveProofsUnbound()` does. */
export async function leaveProofUnbound(
  transaction: Transaction,
  { id, now }: Pick<BindValues, 'id' | 'now'>,
): Promise<void> {
  await leaveProofsUnbound(transaction, { ids: [id], now })
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
