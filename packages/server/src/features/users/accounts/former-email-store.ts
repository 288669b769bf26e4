// Addresses that users had before. A link restores them for a week. Only a verified one is
// reserved: otherwise a user could reserve the addresses of other people.
import type { PurgeCommand } from '../../../feature/clean-up.ts'
import { createPurge } from '../../../feature/purge.ts'
import type { OfUser } from '../../../feature/of-user.ts'
import {
  inTables,
  type AnyCommand,
  type Reader,
  type Transaction,
} from '../../../storage/database.ts'
import type { AccountTables, FormerEmailRow } from './tables.ts'

/**
 * Whether an address is reserved: another user had it, had verified it, and can still restore it by
 * a link.
 *
 * @param wanted.key the address in lower case, as in the column `email_key`
 * @param wanted.subject the user who wants the address
 */
export async function isReserved(
  db: Reader,
  { key, subject, now }: { readonly key: string; readonly subject: string; readonly now: number },
): Promise<boolean> {
  const row = await inTables<AccountTables>(db)
    .selectFrom('former_email')
    .select('subject')
    .where('email_key', '=', key)
    .where('subject', '!=', subject)
    .where('email_verified_at', 'is not', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Stores the address that a user had until now. The new row gets a later time than all other rows
 * of the user: a link that undoes a change also undoes all changes with a later time. The caller
 * must have locked the row of the user.
 */
export async function insertFormerEmail(
  transaction: Transaction,
  row: FormerEmailRow,
): Promise<void> {
  const db = inTables<AccountTables>(transaction)
  const latest = await db
    .selectFrom('former_email')
    .select('created_at')
    .where('subject', '=', row.subject)
    .orderBy('created_at', 'desc')
    .executeTakeFirst()
  const created_at = Math.max(row.created_at, (latest?.created_at ?? 0) + 1)
  await db
    .insertInto('former_email')
    .values({ ...row, created_at })
    .execute()
}

export function findFormerEmail(
  db: Reader,
  { tokenHash, now }: { readonly tokenHash: string; readonly now: number },
): Promise<FormerEmailRow | undefined> {
  return inTables<AccountTables>(db)
    .selectFrom('former_email')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/**
 * Erases a former address of a user, and all addresses that the user had after it. Erases nothing
 * and returns false if the former address does not exist any more.
 */
export async function spendFormerEmail(
  transaction: Transaction,
  { token_hash, subject, created_at }: FormerEmailRow,
): Promise<boolean> {
  const db = inTables<AccountTables>(transaction)
  const spent = await db
    .deleteFrom('former_email')
    .where('token_hash', '=', token_hash)
    .returning('token_hash')
    .executeTakeFirst()
  if (!spent) return false

  await db
    .deleteFrom('former_email')
    .where('subject', '=', subject)
    .where('created_at', '>=', created_at)
    .execute()
  return true
}

/**
 * Erases the former addresses of a user, so that other users can get them.
 *
 * @param which `unverified` erases only the addresses that were never verified
 */
export async function eraseFormerEmails(
  transaction: Transaction,
  { subject, which }: { readonly subject: string; readonly which: 'all' | 'unverified' },
): Promise<void> {
  await inTables<AccountTables>(transaction)
    .deleteFrom('former_email')
    .where('subject', '=', subject)
    .$if(which === 'unverified', (query) => query.where('email_verified_at', 'is', null))
    .execute()
}

/** Erases former addresses whose links expired. */
export const purgeFormerEmails: PurgeCommand = createPurge(
  'purgeFormerEmails',
  'former_email',
  'token_hash',
)

export const commands: readonly AnyCommand[] = [purgeFormerEmails]

export const ofUser: OfUser = {
  erase: (transaction, { subject }) => eraseFormerEmails(transaction, { subject, which: 'all' }),
}
