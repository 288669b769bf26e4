import { inTables, type Transaction } from '../../../storage/database.ts'
import { clearUses, countUses } from '../../operations/limits/in-transaction.ts'
import { newRow } from '../../operations/queue/rows.ts'
import { recordDrop } from './dropped.ts'
import type { NewMail } from './new-mail.ts'
import { usesOf, type Addressee, type CountedAddressee } from './shares.ts'
import type { OutboxTables } from './tables.ts'

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
  mail: NewMail,
  addressee: CountedAddressee,
): Promise<boolean> {
  return (await insertMailOrWait(transaction, mail, addressee)) === 0
}

/**
 * Stores a mail like `tryInsertMail()`.
 *
 * @returns 0 if the mail was stored, otherwise the milliseconds until there is room for it
 */
export async function insertMailOrWait(
  transaction: Transaction,
  { id, template, sealed, lifetimeMilliseconds }: NewMail,
  addressee: CountedAddressee,
): Promise<number> {
  const { subject, recipient, now } = addressee
  const { wait } = await countUses(transaction, usesOf(addressee), now)
  if (wait > 0) return wait

  await inTables<OutboxTables>(transaction)
    .insertInto('mail')
    .values({ id, template, subject, recipient, sealed, ...newRow(now, lifetimeMilliseconds) })
    .execute()
  return 0
}

/**
 * Deletes the count of a mailbox's mails with codes for required second factors, after a new
 * password or a reset of the factors: a thief with the old password may have caused them. Call it
 * as the last step of a transaction.
 */
export async function clearEnrolmentMails(
  transaction: Transaction,
  addressee: Addressee & { readonly now: number },
): Promise<void> {
  const uses = [true, false].flatMap((isVerified) =>
    usesOf({ ...addressee, share: 'enrolment', isVerified }),
  )
  await clearUses(transaction, uses)
}

/**
 * Clears the counts of mails for a new password. Call this if an operator, or a reader of the
 * mailbox, has ended the links of these mails, so that the user can request another link at once. A
 * change that needs only the password must not clear them: it could cause any number of mails.
 */
export async function clearResetMails(
  transaction: Transaction,
  addressee: Addressee & { readonly now: number },
): Promise<void> {
  const uses = (['reset', 'allowance'] as const).flatMap((share) => usesOf({ ...addressee, share }))
  await clearUses(transaction, uses)
}
