import { inTables, type Reader } from '../../../storage/database.ts'
import type { AccountTables } from './tables.ts'

/** Counts the accounts that were not deleted. */
export async function countUsers(reader: Reader): Promise<number> {
  const { count } = await inTables<AccountTables>(reader)
    .selectFrom('user')
    .select((row) => row.fn.countAll().as('count'))
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(count)
}
