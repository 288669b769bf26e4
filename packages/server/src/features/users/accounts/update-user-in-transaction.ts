import { inTables, type Transaction } from '../../../storage/database.ts'
import { insertUserEvent } from '../../tokens/events/in-transaction.ts'
import type { AccountTables, UserRow } from './tables.ts'

interface UserUpdate {
  readonly subject: string
  readonly expected?: Partial<Pick<UserRow, 'password_hash' | 'profile'>>
  readonly now: number
}

/**
 * Changes columns of a user, and tells all processes that the user has changed. No other function
 * may change a row of the table `user`, because processes cache users and would not learn of the
 * change. Statements that only lock the row are allowed elsewhere. Does NOT change a deleted user.
 *
 * @param options.expected values that must still be stored; otherwise nothing changes
 * @returns the stored address and when it was verified, or undefined if nothing changed
 */
export async function updateUser(
  transaction: Transaction,
  values: Partial<Omit<UserRow, 'id'>>,
  { subject, expected = {}, now }: UserUpdate,
): Promise<Pick<UserRow, 'email' | 'email_verified_at'> | undefined> {
  const changed = await inTables<AccountTables>(transaction)
    .updateTable('user')
    .set(values)
    .where('id', '=', subject)
    .where('deleted_at', 'is', null)
    .where((row) => row.and(expected))
    .returning(['email', 'email_verified_at'])
    .executeTakeFirst()
  if (changed) await insertUserEvent(transaction, { subject, now })
  return changed
}
