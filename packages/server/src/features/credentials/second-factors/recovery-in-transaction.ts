// The rows of recovery codes, for the commands that make and spend them. `eraseApp()` erases them
// with the app.
import { inTables, type Transaction } from '../../../storage/database.ts'
import { clearWrongCodes } from './app-in-transaction.ts'
import type { SecondFactorTables } from './tables.ts'

/** Replaces all recovery codes of a user by new ones, given by their hashes. */
export async function replaceRecoveryCodes(
  transaction: Transaction,
  { subject, ids, now }: { readonly subject: string; readonly ids: readonly string[]; now: number },
): Promise<void> {
  const db = inTables<SecondFactorTables>(transaction)
  await db.deleteFrom('recovery_code').where('subject', '=', subject).execute()
  if (ids.length > 0)
    await db
      .insertInto('recovery_code')
      .values(ids.map((id) => ({ id, subject, created_at: now })))
      .execute()
}

/** Erases the recovery codes of a user that were made since a time. The app stays. */
export async function eraseRecoveryCodes(
  transaction: Transaction,
  { subject, since }: { readonly subject: string; readonly since: number },
): Promise<void> {
  await inTables<SecondFactorTables>(transaction)
    .deleteFrom('recovery_code')
    .where('subject', '=', subject)
    .where('created_at', '>=', since)
    .execute()
}

/**
 * Spends a recovery code. With it, the owner is back: the wrong codes before it do not count any
 * more. Returns false if the code was used before.
 */
export async function spendRecoveryCode(
  transaction: Transaction,
  { subject, id }: { readonly subject: string; readonly id: string },
): Promise<boolean> {
  const db = inTables<SecondFactorTables>(transaction)
  const spent = await db
    .deleteFrom('recovery_code')
    .where('id', '=', id)
    .where('subject', '=', subject)
    .returning('id')
    .executeTakeFirst()
  if (spent) await clearWrongCodes(transaction, subject)
  return spent !== undefined
}
