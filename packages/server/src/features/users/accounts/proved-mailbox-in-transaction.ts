// What a person may change who has proved, with the link or code in a mail, that they read the
// mailbox of an account. The flows by mail call this in their own commands.
import type { Transaction } from '../../../storage/database.ts'
import { clearWrongCodes } from '../../credentials/second-factors/app-in-transaction.ts'
import { eraseSecondFactors } from '../../credentials/second-factors/factors-in-transaction.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import { announceChange, type UserAct } from './changes-in-transaction.ts'
import { eraseFormerEmails } from './former-email-store.ts'
import type { MailboxAccount } from './lock-in-transaction.ts'
import { updateUser } from './update-user-in-transaction.ts'

/**
 * Sets the password of a user who has proved that they read the mailbox of the account. Ends all
 * sessions of the user, and forgets all devices of the user. A link that restores a former address
 * stops working if that address was never verified. If the mailbox was not verified before, a
 * stranger may have registered the account, filled in the profile and set up a factor. In this
 * case, the function clears the profile, erases the second factors and marks the mailbox as
 * verified. Does NOT write the audit entry.
 *
 * @returns whether a second factor was erased
 * @param account the result of `lockMailbox()` in the same transaction
 */
export async function setPasswordByMail(
  transaction: Transaction,
  reset: UserAct & { readonly hash: string; readonly account: MailboxAccount },
): Promise<boolean> {
  const { hash, account, ...act } = reset
  const { isVerified } = account
  const { subject, now } = act
  const values = {
    password_hash: hash,
    // The session that set the old password ends, so its device must not stay known.
    password_session: null,
    ...(!isVerified && { email_verified_at: now, profile: '{}' }),
  }
  await updateUser(transaction, values, { subject, now })

  const hadFactor = !isVerified && (await eraseSecondFactors(transaction, { subject }))
  await clearWrongCodes(transaction, subject)
  await endSessions(transaction, { subject, now })
  await eraseFormerEmails(transaction, { subject, which: 'unverified' })
  await announceChange(transaction, 'password_changed', act)
  if (!isVerified) {
    await announceChange(transaction, 'profile_changed', act)
    await announceChange(transaction, 'email_changed', act)
  }
  return hadFactor
}

/**
 * Marks the address of an account as verified. Links can no longer restore former addresses that
 * were never verified. `lockMailbox()` must have locked the account in the same transaction. Does
 * NOT write the audit entry.
 */
export async function verifyMailbox(transaction: Transaction, act: UserAct): Promise<void> {
  const { subject, now } = act
  await updateUser(transaction, { email_verified_at: now }, { subject, now })
  await eraseFormerEmails(transaction, { subject, which: 'unverified' })
  await announceChange(transaction, 'email_changed', act)
}
