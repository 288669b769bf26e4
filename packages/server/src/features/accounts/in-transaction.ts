import type { Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { StoredRights } from '../scopes/scopes.ts'
import type { AccountTables, UserRow } from './tables.ts'

/** The state of an account that a login was decided on. */
export interface ExpectedAccount {
  readonly subject: string
  /**
   * The hash that the password was verified against; undefined if an app authenticated the user.
   */
  readonly passwordHash: string | undefined
  /** The stored rights that the session's scopes were computed from. */
  readonly rights: StoredRights | undefined
}

/**
 * Locks an account until the end of the transaction. So a session cannot start from a password or
 * rights that are changed at the same moment.
 *
 * @returns whether the user may log in, with the expected password hash and rights
 */
export async function lockAccount(
  transaction: Transaction,
  { subject, passwordHash, rights }: ExpectedAccount,
): Promise<boolean> {
  const [account] = await lockActiveRow(transaction, { subject })
  return (
    account !== undefined &&
    (passwordHash === undefined || account.password_hash === passwordHash) &&
    (rights === undefined || (account.scopes === rights.scopes && account.roles === rights.roles))
  )
}

// An update that changes nothing locks the row and returns its newest version, in one statement on
// both databases.
const lockActiveRow = prepare<
  AccountTables,
  { readonly subject: string },
  Pick<UserRow, 'password_hash' | 'scopes' | 'roles'>
>((db, { subject }) =>
  db
    .updateTable('user')
    .set((row) => ({ password_hash: row.ref('password_hash') }))
    .where('id', '=', subject)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .returning(['password_hash', 'scopes', 'roles']),
)
