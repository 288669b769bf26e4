import { countedMailbox } from '../../../base/mailbox.ts'
import { inTables, type Transaction } from '../../../storage/database.ts'
import { clearUses, countUses } from '../../operations/limits/in-transaction.ts'
import { useOf, type Use } from '../../operations/limits/uses.ts'
import { newRow } from '../../operations/queue/rows.ts'
import { recordDrop } from './dropped.ts'
import { mailboxRates } from './feature.ts'
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
 * - `reset`: has a link for a new password of an account with a verified address. Each account has
 *   a limit of its own.
 * - `taken`: has no link, and tells the owner of an address that a person wanted to use it. It has
 *   the limits of `requested`: others would show a caller that the address is taken.
 * - `allowance`: a device that is known to an account with a verified address asked for the mail.
 * - `invitation`: an operator or the app invites a person.
 */
export type MailShare = 'requested' | 'reset' | 'taken' | 'allowance' | 'invitation'

/**
 * Shares of mails about a change of an account. Each of them has one limit for accounts whose
 * address is verified, and another one for accounts whose address was never verified: strangers can
 * register such accounts, and cause mails about them. See `MailShare`.
 *
 * - `notice`: reports a change or a login.
 * - `removal`: reports that an address was removed, or an account deleted.
 * - `undo`: has a link that restores the address.
 * - `factor`: reports a change of the second factors.
 * - `guess`: reports a wrong code after the right password, once a day.
 * - `enrolment`: has the code that setting up a required second factor needs.
 * - `undone`: has a link to set a new password, after a change was undone.
 */
export type AccountMailShare =
  | 'notice'
  | 'removal'
  | 'undo'
  | 'undone'
  | 'factor'
  | 'guess'
  | 'enrolment'

export type CountedAddressee = Addressee & {
  /** The time of the change, in milliseconds. */
  readonly now: number
} & (
    | { readonly share: MailShare }
    | {
        readonly share: AccountMailShare
        /** Whether the account that the mail is about has verified the recipient's address. */
        readonly isVerified: boolean
      }
  )

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

function usesOf(addressee: CountedAddressee): readonly Use[] {
  const mailbox = countedMailbox(addressee.recipient)
  const { share, subject } = addressee
  if (share === 'allowance') return [useOf(mailboxRates.allowance, mailbox)]
  if (share === 'reset') return [useOf(mailboxRates.reset, `${mailbox}\n${subject}`)]

  const prefix = 'isVerified' in addressee && !addressee.isVerified ? 'unverified-' : ''
  const counted = `${mailbox}\n${prefix}${share}`
  if (share === 'guess') return [useOf(mailboxRates.guess, counted)]
  return [useOf(mailboxRates.hour, counted), useOf(mailboxRates.day, counted)]
}
