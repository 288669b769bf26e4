import { inTables, type Transaction } from '../../../storage/database.ts'
import { clearUses, countUses } from '../../operations/limits/in-transaction.ts'
import { newRow } from '../../operations/queue/rows.ts'
import { recordDrop } from './dropped.ts'
import type { NewMail } from './new-mail.ts'
import { ownUsesOf, usesOf, type Addressee, type CountedAddressee } from './shares.ts'
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
  return (await insertCounted(transaction, mail, addressee)).wait === 0
}

/**
 * Stores the mail without which a change must not happen. But if mails about other accounts with
 * unverified addresses have filled the mailbox, drops the mail like `insertMail()`.
 *
 * @returns 0 if the change may happen, otherwise the milliseconds until there is room for the mail:
 *   then nothing is stored
 */
export async function insertMailOrWait(
  transaction: Transaction,
  mail: NewMail,
  addressee: CountedAddressee,
): Promise<number> {
  const { wait, isFullOfOthers } = await insertCounted(transaction, mail, addressee)
  if (!isFullOfOthers) return wait

  await recordDrop(transaction, { ...addressee, template: mail.template }, addressee.now)
  return 0
}

/** Counts a mail, and stores it if there is room for it. */
async function insertCounted(
  transaction: Transaction,
  { id, template, sealed, lifetimeMilliseconds }: NewMail,
  addressee: CountedAddressee,
): Promise<{
  /** The milliseconds until there is room; 0 if the mail was stored. */
  readonly wait: number
  /** Whether the account has room of its own, but its mailbox has none. */
  readonly isFullOfOthers: boolean
}> {
  const { subject, recipient, now } = addressee
  const ownUses = ownUsesOf(addressee)
  const own = await countUses(transaction, ownUses, now)
  if (own.wait > 0) return { wait: own.wait, isFullOfOthers: false }

  const { wait } = await countUses(transaction, usesOf(addressee), now)
  if (wait > 0) return { wait, isFullOfOthers: ownUses.length > 0 }

  await inTables<OutboxTables>(transaction)
    .insertInto('mail')
    .values({ id, template, subject, recipient, sealed, ...newRow(now, lifetimeMilliseconds) })
    .execute()
  return { wait: 0, isFullOfOthers: false }
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
 * Deletes the counts of a mailbox's mails about changes of second factors, after a reset or an undo
 * of the factors: a thief may have caused them, and without room for its mail, the owner could add
 * no factor. Call it before the last mails of a transaction.
 */
export async function clearFactorMails(
  transaction: Transaction,
  addressee: Addressee & { readonly now: number },
): Promise<void> {
  const uses = [true, false].flatMap((isVerified) => {
    const counted = { ...addressee, share: 'factor', isVerified } as const
    return [...ownUsesOf(counted), ...usesOf(counted)]
  })
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
