import type { Transaction } from '../../../storage/database.ts'
import { insertMail } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { UserAct } from './changes-in-transaction.ts'
import type { UserRow } from './tables.ts'

/**
 * Stores the mail that tells a user about a change. Stores nothing if the user has no address.
 *
 * @param share `removal` if the account has lost this address, or was deleted
 */
export async function notify(
  transaction: Transaction,
  notice: NewMail | undefined,
  to: Pick<UserRow, 'email' | 'email_verified_at'> & Omit<UserAct, 'by'>,
  share: 'notice' | 'removal' = 'notice',
): Promise<void> {
  if (!notice || to.email === null) return
  const { subject, email: recipient, now } = to
  const isVerified = to.email_verified_at !== null
  await insertMail(transaction, notice, { subject, recipient, share, isVerified, now })
}
