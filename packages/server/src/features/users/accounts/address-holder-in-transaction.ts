// Which account has an e-mail address.
import { inTables, type Reader } from '../../../storage/database.ts'
import { isReserved } from './former-email-store.ts'
import type { AccountTables } from './tables.ts'

/**
 * Whether another user has an address, or had it as a verified address and can still restore it by
 * a link.
 *
 * @param options.mailbox the address in the form in which mailboxes are compared
 * @param options.subject the user who wants the address
 */
export async function isTaken(
  db: Reader,
  wanted: { readonly mailbox: string; readonly subject: string; readonly now: number },
): Promise<boolean> {
  const holder = await findHolder(db, wanted.mailbox)
  if (holder !== undefined && holder !== wanted.subject) return true
  return isReserved(db, { key: wanted.mailbox, ...wanted })
}

/**
 * Returns the subject of the account with this address, or undefined.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 */
export async function findHolder(db: Reader, mailbox: string): Promise<string | undefined> {
  const holder = await inTables<AccountTables>(db)
    .selectFrom('user')
    .select('id')
    .where('email_key', '=', mailbox)
    .executeTakeFirst()
  return holder?.id
}
