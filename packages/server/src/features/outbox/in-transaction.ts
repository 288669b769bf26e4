import { inTables, type Transaction } from '../../storage/database.ts'
import { countUses } from '../limits/in-transaction.ts'
import { useOf } from '../limits/uses.ts'
import { newRow } from '../queue/rows.ts'
import { mailboxDayRate, mailboxHourRate } from './feature.ts'
import type { NewMail } from './new-mail.ts'
import type { OutboxTables } from './tables.ts'

/** The user whom a mail is about, and the address of the mailbox. */
export interface Addressee {
  readonly subject: string
  readonly recipient: string
}

/** The recipient of a mail, and the limits that the mail counts for. */
export interface CountedAddressee extends Addressee {
  /**
   * An id, such as the id of a known device of the user. A mail with an id has limits of its own,
   * which other mails to the mailbox do not use up. So an attacker who causes many mails to the
   * mailbox cannot prevent this mail. Without an id, the mail counts for the limits of the mailbox.
   */
  readonly allowance?: string | undefined
  /** The time of the change, in milliseconds. */
  readonly now: number
}

/**
 * Stores a mail in the transaction of the change that causes it. If the change is rolled back, no
 * mail is sent. If the change is committed, the mail is sent even after a crash. Stores nothing if
 * the mailbox has already got too many mails. Call it as the last step of a transaction: other
 * mails to the same mailbox wait until the transaction commits.
 *
 * @returns whether the mail was stored
 */
export async function insertMail(
  transaction: Transaction,
  { id, template, sealed, lifetimeMilliseconds }: NewMail,
  { subject, recipient, allowance, now }: CountedAddressee,
): Promise<boolean> {
  // Most providers ignore the case of an address, so all spellings share one count.
  const mailbox = recipient.toLowerCase()
  const counted = allowance === undefined ? mailbox : `${mailbox}\n${allowance}`
  const uses = [useOf(mailboxHourRate, counted), useOf(mailboxDayRate, counted)]
  if ((await countUses(transaction, uses, now)).wait > 0) return false

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

/** Deletes the mails about a deleted user, because they contain the user's address. */
export async function eraseMailsAbout(transaction: Transaction, subject: string): Promise<void> {
  await inTables<OutboxTables>(transaction)
    .deleteFrom('mail')
    .where('subject', '=', subject)
    .execute()
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
