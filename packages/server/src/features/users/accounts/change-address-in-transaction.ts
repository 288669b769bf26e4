// Changes the address of an account, inside of a transaction, and mails a link to the old address
// that undoes the change (`restore-address-in-transaction.ts`).
import type { Transaction } from '../../../storage/database.ts'
import { tryInsertMail } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import { eraseProofsExceptFactorUndo } from '../../mail/proofs/erase-in-transaction.ts'
import type { Act } from '../../operations/audit/entry.ts'
import { isSameMailbox, type ComparableName } from '../directory/names.ts'
import { cancelChangesSince, insertFormerEmail } from './address-history-in-transaction.ts'
import { findHolder } from './address-holder-in-transaction.ts'
import { recordChange } from './changes-in-transaction.ts'
import { eraseFormerEmails, isReserved } from './former-email-store.ts'
import { lockAccount, type LockedAccount } from './lock-in-transaction.ts'
import { notify } from './notify-in-transaction.ts'
import { updateUser } from './update-user-in-transaction.ts'

/** The link with which the reader of the old mailbox restores the old address. */
export interface NewUndo {
  readonly tokenHash: string
  readonly expiresAt: number
  readonly mail: NewMail
  /**
   * A mail without a link. Keystile sends it instead of `mail` if the new address is verified and
   * the old address never was.
   */
  readonly notice: NewMail | undefined
}

/** A change of the address of an account. */
interface AddressChange extends Act {
  readonly email: ComparableName
  /** When the user confirmed the new address, or null. */
  readonly verifiedAt: number | null
  /** Undefined if no mails are sent. */
  readonly undo: NewUndo | undefined
}

/**
 * Locks an account until the end of the transaction, to change its address.
 *
 * @param expected.passwordHash the hash that was stored when the change was allowed
 * @returns the account. Undefined if the account is disabled or deleted, or if its password has
 *   changed
 */
export async function lockAddress(
  transaction: Transaction,
  { subject, passwordHash }: { readonly subject: string; readonly passwordHash: string },
): Promise<LockedAccount | undefined> {
  const account = await lockAccount(transaction, { subject, rights: undefined })
  return account?.password_hash === passwordHash ? account : undefined
}

/**
 * Changes the address of an account that `lockAddress()` has locked, and mails the old address:
 *
 * - A link that restores the old address. If that was verified, no other user can get it while the
 *   link works.
 * - Instead, a notice without a link if the new address is verified and the old one never was: the
 *   old one may be a typo. Also if the user goes back to an address that a link could restore.
 * - No mail if only the case of ASCII letters changes. A verified address then stays verified.
 *
 * If there is no room for the mail with the link, the address does not change: otherwise an
 * attacker could first cause so many mails that the owner gets no link.
 *
 * @returns `taken` if another user has the address, or had it as a verified address and can still
 *   restore it by a link; `too-many-mails` if the old mailbox already got too many mails with such
 *   a link. In both cases, nothing changes
 * @throws the error of the unique constraint if another transaction sets the address at the same
 *   time
 */
export async function changeAddress(
  transaction: Transaction,
  account: LockedAccount,
  change: AddressChange,
): Promise<'changed' | 'taken' | 'too-many-mails'> {
  const { email, verifiedAt, by, now } = change
  const { id: subject } = account
  const old = addressOf(account)
  const holder = await findHolder(transaction, email.key)
  if (holder !== undefined && holder !== subject) return 'taken'

  const isSame = isSameMailbox(old.email, email.shown)
  const email_verified_at = verifiedAt ?? (isSame ? old.email_verified_at : null)
  const fresh = { email: email.shown, email_key: email.key, email_verified_at }
  await updateUser(transaction, fresh, { subject, now })
  // As in `insertAccount()`, a reservation may become visible only now.
  if (await isReserved(transaction, { key: email.key, subject, now })) {
    await updateUser(transaction, old, { subject, now })
    return 'taken'
  }

  if (!isSame && !(await mailOldAddress(transaction, account, change))) {
    await updateUser(transaction, old, { subject, now })
    return 'too-many-mails'
  }
  // Links to the old mailbox are bound to `email_key`, which may still be the same.
  if (!isSame && old.email_key === email.key)
    await eraseProofsExceptFactorUndo(transaction, subject)
  if (verifiedAt !== null) await eraseFormerEmails(transaction, { subject, which: 'unverified' })
  await recordChange(transaction, 'email_changed', { subject, by, now })
  return 'changed'
}

type Address = Pick<LockedAccount, 'email' | 'email_key' | 'email_verified_at'>

/** Returns the columns that hold the address of an account, to store them again. */
export function addressOf({ email, email_key, email_verified_at }: LockedAccount): Address {
  return { email, email_key, email_verified_at }
}

/**
 * Stores the mail to the old address of an account, and the link that restores it. Returns false,
 * and stores nothing, if there is no room for a mail with such a link. Does nothing if no mails are
 * sent, or if the account had no address.
 */
async function mailOldAddress(
  transaction: Transaction,
  account: LockedAccount,
  { email, verifiedAt, undo, now }: AddressChange,
): Promise<boolean> {
  const { id: subject, email: recipient, email_key, email_verified_at } = account
  if (!undo || recipient === null || email_key === null) return true

  const wasVerified = email_verified_at !== null
  const isBack =
    verifiedAt !== null && (await cancelChangesSince(transaction, { subject, email, now }))
  if (isBack || (verifiedAt !== null && !wasVerified)) {
    await notify(transaction, undo.notice, { ...account, subject, now }, 'removal')
    return true
  }

  const addressee = { subject, recipient, share: 'undo', isVerified: wasVerified, now } as const
  if (!(await tryInsertMail(transaction, undo.mail, addressee))) return false
  await insertFormerEmail(transaction, {
    email: recipient,
    email_key,
    email_verified_at,
    token_hash: undo.tokenHash,
    subject,
    created_at: now,
    expires_at: undo.expiresAt,
  })
  return true
}
