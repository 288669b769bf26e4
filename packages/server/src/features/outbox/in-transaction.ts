import { inTables, type Transaction } from '../../storage/database.ts'
import { countUses } from '../limits/in-transaction.ts'
import { useOf } from '../limits/uses.ts'
import { mailboxDayRate, mailboxHourRate } from './feature.ts'
import type { NewMail } from './new-mail.ts'
import type { OutboxTables } from './tables.ts'

/** The user whom a mail is about, and the address of the mailbox. */
export interface Addressee {
  readonly subject: string
  readonly recipient: string
}

/**
 * Stores a mail in the transaction of the change that causes it. If the change is rolled back, no
 * mail is sent. If the change is committed, the mail is sent even after a crash. Stores nothing if
 * the mailbox has already got too many mails. Call it as the last step of a transaction: other
 * mails to the same mailbox wait until the transaction commits.
 *
 * @param now the time of the change, in milliseconds
 */
export async function insertMail(
  transaction: Transaction,
  { id, template, sealed, lifetimeMilliseconds }: NewMail,
  { subject, recipient, now }: Addressee & { readonly now: number },
): Promise<void> {
  // Most providers ignore the case of an address, so all spellings share one count.
  const mailbox = recipient.toLowerCase()
  const uses = [useOf(mailboxHourRate, mailbox), useOf(mailboxDayRate, mailbox)]
  if ((await countUses(transaction, uses, now)).wait > 0) return

  await inTables<OutboxTables>(transaction)
    .insertInto('mail')
    .values({
      id,
      template,
      subject,
      recipient,
      sealed,
      created_at: now,
      expires_at: now + lifetimeMilliseconds,
      tries: 0,
      next_try_at: now,
      dead_at: null,
      failure: null,
    })
    .execute()
}

/** Deletes the mails about a deleted user, because they contain the user's address. */
export async function eraseMailsAbout(transaction: Transaction, subject: string): Promise<void> {
  await inTables<OutboxTables>(transaction)
    .deleteFrom('mail')
    .where('subject', '=', subject)
    .execute()
}
