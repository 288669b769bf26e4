// Addresses that users had before. A link restores them for a week. Only a verified one is
// reserved: otherwise a user could reserve the addresses of other people.
import type { PurgeCommand } from '../../../feature/clean-up.ts'
import type { OfUser } from '../../../feature/of-user.ts'
import { createPurge } from '../../../feature/purge.ts'
import { inTables, type Reader, type Transaction } from '../../../storage/database.ts'
import type { AccountTables } from './tables.ts'

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

export const ofUser: OfUser = {
  erase: (transaction, { subject }) => eraseFormerEmails(transaction, { subject, which: 'all' }),
}
