// Locks an account until the end of a transaction. So a login or a change of the account comes
// before or after another one, never between its checks and its writes.
import type { Transaction } from '../../../storage/database.ts'
import { lockName } from '../../../storage/portable-sql.ts'
import { prepare } from '../../../storage/prepared.ts'
import { isSameMailbox } from '../directory/names.ts'
import type { StoredRights } from '../scopes/stored-rights.ts'
import { findHolder } from './address-holder-in-transaction.ts'
import type { AccountTables, UserRow } from './tables.ts'

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
