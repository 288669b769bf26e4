// The parts of commands about accounts, which commands of other features call too: they lock
// accounts, change what a proof by mail allows, find who has an address, and tell the user.
import { inTables, type Reader, type Transaction } from '../../../storage/database.ts'
import { lockName } from '../../../storage/portable-sql.ts'
import { prepare } from '../../../storage/prepared.ts'
import { eraseSecondFactors } from '../../credentials/second-factors/factors-in-transaction.ts'
import { clearWrongCodes } from '../../credentials/second-factors/in-transaction.ts'
import { insertMail } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import { isSameMailbox } from '../directory/names.ts'
import type { StoredRights } from '../scopes/scopes.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import { announceChange, type UserAct } from './changes-in-transaction.ts'
import { eraseFormerEmails, isReserved } from './former-email-store.ts'
import type { AccountTables, UserRow } from './tables.ts'
import { updateUser } from './user-in-transaction.ts'

/** An account as it was when the login was checked. */
export interface ExpectedAccount {
  readonly subject: string
  /** The stored rights that the session's scopes were computed from. */
  readonly rights: StoredRights | undefined
}

/** An account that is locked until the end of the transaction. */
export type LockedAccount = Pick<UserRow, (typeof lockedColumns)[number]>

const lockedColumns = [
  'id',
  'username',
  'email',
  'email_key',
  'email_verified_at',
  'password_hash',
  'scopes',
  'roles',
  'created_at',
  'disabled_at',
] as const

// This update changes no value. It locks the row and returns its newest version, in one statement
// on both databases.
const lockRow = prepare<AccountTables, { readonly subject: string }, LockedAccount>(
  (db, { subject }) =>
    db
      .updateTable('user')
      .set((row) => ({ email_key: row.ref('email_key') }))
      .where('id', '=', subject)
      .where('deleted_at', 'is', null)
      .returning(lockedColumns),
)

/**
 * Locks an account until the end of the transaction. Returns undefined if it does not exist or was
 * deleted. The account may be disabled.
 */
export async function lockUser(
  transaction: Transaction,
  subject: string,
): Promise<LockedAccount | undefined> {
  const [account] = await lockRow(transaction, { subject })
  return account
}

/**
 * Locks an account until the end of the transaction. So no other request can change the password or
 * the rights while a session starts.
 *
 * @returns the account, or undefined if the user may not log in any more, or if the rights have
 *   changed
 */
export async function lockAccount(
  transaction: Transaction,
  { subject, rights }: ExpectedAccount,
): Promise<LockedAccount | undefined> {
  const account = await lockUser(transaction, subject)
  if (!account || account.disabled_at !== null) return undefined

  const isExpected =
    rights === undefined || (account.scopes === rights.scopes && account.roles === rights.roles)
  return isExpected ? account : undefined
}

/**
 * Locks a user until the end of the transaction: a Keystile account as `lockAccount()` does, or the
 * subject of an app's own user. So a login without a second factor, and the change that adds one,
 * run one after the other.
 *
 * @returns undefined if an account may not log in any more, or if its rights have changed. The
 *   `account` of an app's own user is undefined
 */
export async function lockPerson(
  transaction: Transaction,
  { hasAccount, ...expected }: ExpectedAccount & { readonly hasAccount: boolean },
): Promise<{ readonly account: LockedAccount | undefined } | undefined> {
  if (!hasAccount) {
    await lockName(transaction, expected.subject)
    return { account: undefined }
  }
  const account = await lockAccount(transaction, expected)
  return account && { account }
}

/**
 * Locks the account that has an address but never verified it, until the end of the transaction.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 */
export async function lockUnverified(
  transaction: Transaction,
  mailbox: string,
): Promise<LockedAccount | undefined> {
  const holder = await findHolder(transaction, mailbox)
  const account = holder === undefined ? undefined : await lockUser(transaction, holder)
  return account?.email_key === mailbox && account.email_verified_at === null ? account : undefined
}

/** An account that `lockMailbox()` has locked until the end of the transaction. */
export interface MailboxAccount {
  readonly email: string
  /** Whether a person has already proved that they can read mails to this address. */
  readonly isVerified: boolean
}

/**
 * Locks an account until the end of the transaction. Returns undefined if the account is not
 * active, or if its address is not this mailbox.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 * @param recipient where a mail goes: another mailbox of the same form gets none
 */
export async function lockMailbox(
  transaction: Transaction,
  wanted: {
    readonly subject: string
    readonly mailbox: string
    readonly recipient?: string | undefined
  },
): Promise<MailboxAccount | undefined> {
  const { subject, mailbox, recipient } = wanted
  const account = await lockAccount(transaction, { subject, rights: undefined })
  if (!account || account.email === null || account.email_key !== mailbox) return undefined
  if (recipient !== undefined && !isSameMailbox(account.email, recipient)) return undefined
  return { email: account.email, isVerified: account.email_verified_at !== null }
}

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

/**
 * Whether another user has an address, or had it as a verified address and can still restore it by
 * a link.
 *
 * @param options.mailbox the address in the form in which mailboxes are compared
 * @param options.subject the user who wants the address
 */
export async function isTaken(
  db: Reader,
  wanted: { readonly mailbox: string; readonly subject: string; readonly now: number },
): Promise<boolean> {
  const holder = await findHolder(db, wanted.mailbox)
  if (holder !== undefined && holder !== wanted.subject) return true
  return isReserved(db, { key: wanted.mailbox, ...wanted })
}

/**
 * Returns the subject of the account with this address, or undefined.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 */
export async function findHolder(db: Reader, mailbox: string): Promise<string | undefined> {
  const holder = await inTables<AccountTables>(db)
    .selectFrom('user')
    .select('id')
    .where('email_key', '=', mailbox)
    .executeTakeFirst()
  return holder?.id
}

/**
 * Stores the mail that tells a user about a change. Stores nothing if the user has no address.
 *
 * @param share `removal` if the account has lost this address, or was deleted
 */
export async function notify(
  transaction: Transaction,
  notice: NewMail | undefined,
  to: Pick<UserRow, 'email' | 'email_verified_at'> & Omit<UserAct, 'by'>,
  share: 'notice' | 'removal' = 'notice',
): Promise<void> {
  if (!notice || to.email === null) return
  const { subject, email: recipient, now } = to
  const isVerified = to.email_verified_at !== null
  await insertMail(transaction, notice, { subject, recipient, share, isVerified, now })
}
