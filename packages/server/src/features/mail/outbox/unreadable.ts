import type { Seal } from '../../../base/seal.ts'
import { inTables, type Reader } from '../../../storage/database.ts'
import { hasTable } from '../../../storage/schema.ts'
import { openParameters } from './new-mail.ts'
import type { OutboxTables } from './tables.ts'

/**
 * How many values of a table to check at most. The oldest values are checked first, because an old
 * key may have encrypted them.
 */
export const maxChecked = 1_000

/**
 * Whether at least one of the oldest mails cannot be decrypted. False if the database has no table
 * of mails yet.
 */
export async function hasUnreadableMail(reader: Reader, seal: Seal): Promise<boolean> {
  if (!(await hasTable(reader, 'mail'))) return false

  const mails = await inTables<OutboxTables>(reader)
    .selectFrom('mail')
    .select(['id', 'template', 'sealed'])
    .where('sealed', 'is not', null)
    .orderBy('created_at')
    .limit(maxChecked)
    .execute()
  return mails.some((mail) => openParameters(mail, seal) === undefined)
}
