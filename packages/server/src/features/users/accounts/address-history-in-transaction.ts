// In which order a user changed the address and set up factors. A link that restores a former
// address undoes all that came after it, so their times must tell the order even if the clocks of
// two servers differ. Lock the row of the user first.
import { inTables, type Transaction } from '../../../storage/database.ts'
import { newestFactorAt } from '../../credentials/second-factors/factors-in-transaction.ts'
import { isSameMailbox, type ComparableName } from '../directory/names.ts'
import type { AccountTables, FormerEmailRow } from './tables.ts'

/**
 * If a user goes back to a verified address that a link could restore, cancels the links of the
 * mailboxes in between: they may belong to a thief, from whom the owner takes the address back. So
 * the change does what the link to this address would do. Returns whether the user goes back.
 */
export async function cancelChangesSince(
  transaction: Transaction,
  {
    subject,
    email,
    now,
  }: { readonly subject: string; readonly email: ComparableName; readonly now: number },
): Promise<boolean> {
  const db = inTables<AccountTables>(transaction)
  const rows = await db
    .selectFrom('former_email')
    .select(['email', 'created_at'])
    .where('subject', '=', subject)
    .where('email_key', '=', email.key)
    .where('email_verified_at', 'is not', null)
    .where('expires_at', '>', now)
    .orderBy('created_at')
    .execute()
  const former = rows.find((row) => isSameMailbox(row.email, email.shown))
  if (!former) return false

  await db
    .deleteFrom('former_email')
    .where('subject', '=', subject)
    .where('created_at', '>', former.created_at)
    .execute()
  return true
}

/**
 * Stores the address that a user had until now. The new row gets a later time than all other rows
 * of the user, and than the second factors: a link that undoes a change also undoes all changes and
 * factors with a later time, and the clock of the server that stored them may be ahead. The caller
 * must have locked the row of the user.
 */
export async function insertFormerEmail(
  transaction: Transaction,
  row: FormerEmailRow,
): Promise<void> {
  const { subject } = row
  const latest = await findLatestChange(transaction, subject)
  const newest = await newestFactorAt(transaction, subject)
  const created_at = Math.max(row.created_at, latest + 1, newest + 1)
  await inTables<AccountTables>(transaction)
    .insertInto('former_email')
    .values({ ...row, created_at })
    .execute()
}

/**
 * Returns a time for a second factor that is set up now: the later one of `now` and of the last
 * change of the address that can be undone. The clock of the server that changed the address may be
 * ahead, and the undo erases what is younger than the change. Lock the user first.
 */
export async function timeAfterChanges(
  transaction: Transaction,
  { subject, now }: { readonly subject: string; readonly now: number },
): Promise<number> {
  return Math.max(now, await findLatestChange(transaction, subject))
}

async function findLatestChange(transaction: Transaction, subject: string): Promise<number> {
  const latest = await inTables<AccountTables>(transaction)
    .selectFrom('former_email')
    .select('created_at')
    .where('subject', '=', subject)
    .orderBy('created_at', 'desc')
    .executeTakeFirst()
  return latest?.created_at ?? 0
}
