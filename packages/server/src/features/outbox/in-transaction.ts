import { countedMailbox } from '../../base/mailbox.ts'
import { inTables, type Transaction } from '../../storage/database.ts'
import { countUses } from '../limits/in-transaction.ts'
import { useOf, type Use } from '../limits/uses.ts'
import { newRow } from '../queue/rows.ts'
import { recordDrop } from './dropped.ts'
import { allowanceRate, mailboxDayRate, mailboxHourRate } from './feature.ts'
import type { NewMail } from './new-mail.ts'
import type { OutboxTables } from './tables.ts'

export interface Addressee {
  readonly subject: string
  readonly recipient: string
}

// decisions/0037-shares-of-a-mailbox.md
/**
 * The mails of a mailbox that are counted together. Each share has limits of its own, so the mails
 * of one share cannot prevent those of another one.
 *
 * - `requested`: every stranger can cause these mails, for example by a registration.
 * - `notice`: reports a change or a login.
 * - `allowance`: a known device asked for the mail, or it reports that an address was removed.
 * - `invitation`: an operator or the app invites a person.
 * - `undo`: has a link that restores a verified address.
 * - `unverified-undo`: has a link that restores an address that was never verified.
 * - `undone`: has a link to set a new password, after an address was restored.
 */
export type MailShare =
  | 'requested'
  | 'notice'
  | 'allowance'
  | 'invitation'
  | 'undo'
  | 'unverified-undo'
  | 'undone'

export interface CountedAddressee extends Addressee {
  readonly share: MailShare
  /** The time of the change, in milliseconds. */
  readonly now: number
}

/**
 * Stores a mail in the transaction of the change that causes it. If the change is rolled back, no
 * mail is sent. If the change is committed, the mail is sent even after a crash. If the mailbox has
 * already got too many mails of the share, drops the mail, and records this. Call it as late as
 * possible in a transaction: other mails to the same mailbox wait until the transaction commits.
 *
 * @returns whether the mail was stored
 */
export async function insertMail(
  transaction: Transaction,
  mail: NewMail,
  addressee: CountedAddressee,
): Promise<boolean> {
  if (await tryInsertMail(transaction, mail, addressee)) return true

  await recordDrop(transaction, { ...addressee, template: mail.template }, addressee.now)
  return false
}

/**
 * Stores a mail like `insertMail()`, but does NOT record a mail that has no room. Use it if the
 * caller is told that there is no room.
 */
export async function tryInsertMail(
  transaction: Transaction,
  { id, template, sealed, lifetimeMilliseconds }: NewMail,
  { subject, recipient, share, now }: CountedAddressee,
): Promise<boolean> {
  if ((await countUses(transaction, usesOf(recipient, share), now)).wait > 0) return false

  await inTables<OutboxTables>(transaction)
    .insertInto('mail')
    .values({
      id,
      template,
      subject,
      recipient,
      sealed,
      ...newRow(now, lifetimeMilliseconds),
    })
    .execute()
  return true
}

function usesOf(recipient: string, share: MailShare): readonly Use[] {
  const mailbox = countedMailbox(recipient)
  if (share === 'allowance') return [useOf(allowanceRate, mailbox)]

  const counted = `${mailbox}\n${share}`
  return [useOf(mailboxHourRate, counted), useOf(mailboxDayRate, counted)]
}

/**
 * Deletes the mails about a deleted user, and the record of those that were dropped, because they
 * contain the user's address.
 */
export async function eraseMailsAbout(transaction: Transaction, subject: string): Promise<void> {
  const db = inTables<OutboxTables>(transaction)
  await db.deleteFrom('mail').where('subject', '=', subject).execute()
  await db.deleteFrom('dropped_mail').where('subject', '=', subject).execute()
}

/**
 * Deletes the mails that wait to be sent, and keeps dead letters. Returns how many mails it
 * deleted.
 */
export async function eraseWaitingMails(transaction: Transaction): Promise<number> {
  const erased = await inTables<OutboxTables>(transaction)
    .deleteFrom('mail')
    .where('dead_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(erased.numDeletedRows)
}
