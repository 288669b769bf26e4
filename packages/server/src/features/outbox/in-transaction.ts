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

/** A recipient, and how the mail is counted. */
export interface CountedAddressee extends Addressee {
  /**
   * Counts the mail separately from other mails to this mailbox: under this id, with limits of the
   * same size. It is for mails that a device of the user requests. So an attacker who causes many
   * mails to the mailbox cannot prevent these mails.
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
  // Stryker disable next-line MethodExpression: upper case gives all spellings one count too
  const mailbox = recipient.toLowerCase()
  // Stryker disable next-line ConditionalExpression: without an allowance, any fixed key will do
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

/** Deletes the mails that wait to be sent. Keeps dead letters. Returns the number of mails. */
export async function eraseWaitingMails(transaction: Transaction): Promise<number> {
  const erased = await inTables<OutboxTables>(transaction)
    .deleteFrom('mail')
    .where('dead_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(erased.numDeletedRows)
}
