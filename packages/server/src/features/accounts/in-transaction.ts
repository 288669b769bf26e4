import { inTables, type Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { By } from '../audit/entry.ts'
import type { StoredRights } from '../scopes/scopes.ts'
import { endSessions } from '../sessions/in-transaction.ts'
import { announceChange } from './store.ts'
import type { AccountTables, UserRow } from './tables.ts'

/** An account as it was when the login was checked. */
export interface ExpectedAccount {
  readonly subject: string
  /**
   * The hash that the password was verified against; undefined if an app authenticated the user.
   */
  readonly passwordHash: string | undefined
  /** The stored rights that the session's scopes were computed from. */
  readonly rights: StoredRights | undefined
}

/** The part of a locked account that a notice needs. */
export type LockedAccount = Pick<UserRow, 'email' | 'created_at'>

/**
 * Locks an account until the end of the transaction. So no other request can change the password or
 * the rights while a session starts.
 *
 * @returns the account if the user may still log in, and the stored password hash and rights are
 *   the expected ones
 */
export async function lockAccount(
  transaction: Transaction,
  { subject, passwordHash, rights }: ExpectedAccount,
): Promise<LockedAccount | undefined> {
  const [account] = await lockActiveRow(transaction, { subject })
  if (!account) return undefined

  const isExpected =
    (passwordHash === undefined || account.password_hash === passwordHash) &&
    (rights === undefined || (account.scopes === rights.scopes && account.roles === rights.roles))
  return isExpected ? account : undefined
}

// This update changes no value. It locks the row and returns its newest version, in one statement
// on both databases.
const lockActiveRow = prepare<
  AccountTables,
  { readonly subject: string },
  Pick<UserRow, 'password_hash' | 'scopes' | 'roles'> & LockedAccount
>((db, { subject }) =>
  db
    .updateTable('user')
    .set((row) => ({ password_hash: row.ref('password_hash') }))
    .where('id', '=', subject)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .returning(['password_hash', 'scopes', 'roles', 'email', 'created_at']),
)

/** A locked account whose address a mail was sent to. */
export interface MailboxAccount {
  readonly email: string
  /** Whether a person has already proved that they can read mails to this address. */
  readonly isVerified: boolean
}

/**
 * Locks an account until the end of the transaction, if it is active and its address is this
 * mailbox.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 */
export async function lockMailbox(
  transaction: Transaction,
  { subject, mailbox }: { readonly subject: string; readonly mailbox: string },
): Promise<MailboxAccount | undefined> {
  const account = await inTables<AccountTables>(transaction)
    .updateTable('user')
    .set((row) => ({ email_key: row.ref('email_key') }))
    .where('id', '=', subject)
    .where('email_key', '=', mailbox)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .returning(['email', 'email_verified_at'])
    .executeTakeFirst()
  if (!account || account.email === null) return undefined
  return { email: account.email, isVerified: account.email_verified_at !== null }
}

/**
 * Sets the password of a user who has proved that they read the mailbox of the account, and ends
 * all sessions and devices. If no user had proved that before, another person may have registered
 * the address: the mailbox is verified now, and the profile is cleared, so that this person keeps
 * nothing. Does NOT write the audit entry.
 *
 * @param account the result of `lockMailbox()` in the same transaction
 */
export async function setPasswordByMail(
  transaction: Transaction,
  {
    subject,
    hash,
    account: { isVerified },
    by,
    now,
  }: {
    readonly subject: string
    readonly hash: string
    readonly account: MailboxAccount
    readonly by: By
    readonly now: number
  },
): Promise<void> {
  await inTables<AccountTables>(transaction)
    .updateTable('user')
    .set({
      password_hash: hash,
      // A device that is known by a session is forgotten with the session.
      password_session: null,
      ...(!isVerified && { email_verified_at: now, profile: '{}' }),
    })
    .where('id', '=', subject)
    .execute()

  await endSessions(transaction, { subject, now })
  await announceChange(transaction, 'password', { subject, by, now })
  if (!isVerified) {
    await announceChange(transaction, 'profile', { subject, by, now })
    await announceChange(transaction, 'email', { subject, by, now })
  }
}
