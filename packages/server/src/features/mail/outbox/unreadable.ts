import type { Seal } from '../../../base/seal.ts'
import { inTables, type Reader } from '../../../storage/database.ts'
import { hasTable } from '../../../storage/migrate.ts'
import { openParameters } from './new-mail.ts'
import type { MailRow } from './tables.ts'

/**
 * How many values to check at most. The oldest values are checked first, because an old key may
 * have encrypted them.
 */
const lookedAt = 1_000

/** A placeholder for a table with encrypted values. Its real name is known only at run time. */
interface Tables {
  readonly table: { readonly sealed: string | null; readonly created_at: number }
}

/**
 * Whether at least one of the oldest encrypted values of a table cannot be decrypted. False if the
 * database does not have the table yet.
 *
 * @param open returns undefined for a row that it cannot decrypt
 */
export async function hasUnreadable(
  reader: Reader,
  table: string,
  open: (row: never) => unknown,
): Promise<boolean> {
  if (!(await hasTable(reader, table))) return false

  const rows: readonly unknown[] = await inTables<Tables>(reader)
    .selectFrom(table as 'table')
    .selectAll()
    .where('sealed', 'is not', null)
    .orderBy('created_at')
    .limit(lookedAt)
    .execute()
  return (rows as readonly never[]).some((row) => open(row) === undefined)
}

export function hasUnreadableMail(reader: Reader, seal: Seal): Promise<boolean> {
  return hasUnreadable(reader, 'mail', (mail: MailRow) => openParameters(mail, seal))
}
