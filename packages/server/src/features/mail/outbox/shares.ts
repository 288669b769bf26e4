// How the mails to a mailbox are limited (decisions/0037-shares-of-a-mailbox.md).
import { countedMailbox } from '../../../base/mailbox.ts'
import { useOf, type Use } from '../../operations/limits/uses.ts'
import { mailboxRates } from './feature.ts'

export interface Addressee {
  /** The user that the mail is about. */
  readonly subject: string
  readonly recipient: string
}

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

// decisions/0037-shares-of-a-mailbox.md
/**
 * Returns the uses of the limits of an account that a mail about a change of its factors counts, if
 * the address was never verified. Empty for other mails. If these limits have no room, the change
 * is refused; if only the mailbox has none, the mail is dropped. Otherwise, a stranger with an
 * account of the same mailbox could prevent the changes of another user.
 */
export function accountUsesOf(addressee: CountedAddressee): readonly Use[] {
  if (addressee.share !== 'factor' || addressee.isVerified) return []
  return twoUses(`${countedMailbox(addressee.recipient)}\nunverified-factor\n${addressee.subject}`)
}

/** Returns the uses of the limits of a mailbox that a mail to it counts. */
export function mailboxUsesOf(addressee: CountedAddressee): readonly Use[] {
  const mailbox = countedMailbox(addressee.recipient)
  const { share, subject } = addressee
  if (share === 'allowance') return [useOf(mailboxRates.allowance, mailbox)]
  if (share === 'reset') return [useOf(mailboxRates.reset, `${mailbox}\n${subject}`)]

  const prefix = 'isVerified' in addressee && !addressee.isVerified ? 'unverified-' : ''
  const counted = `${mailbox}\n${prefix}${share}`
  if (share === 'guess') return [useOf(mailboxRates.guess, counted)]
  return twoUses(counted)
}

function twoUses(counted: string): readonly Use[] {
  return [useOf(mailboxRates.hour, counted), useOf(mailboxRates.day, counted)]
}
