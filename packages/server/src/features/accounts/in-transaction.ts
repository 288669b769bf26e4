import type { Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { StoredRights } from '../scopes/scopes.ts'
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
