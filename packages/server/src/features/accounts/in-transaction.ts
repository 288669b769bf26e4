import type { Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { StoredRights } from '../scopes/scopes.ts'
import type { AccountTables, UserRow } from './tables.ts'

/** An account, as a login has seen it. */
export interface ExpectedAccount {
  readonly subject: string
  /**
   * The hash that the password was verified against; undefined where an app has proved the user.
   */
  readonly passwordHash: string | undefined
  /** What the account held when the scopes were decided. */
  readonly rights: StoredRights | undefined
}

/**
 * Locks an account until the end of the transaction.
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
