import { inTables, type Reader } from '../../../storage/database.ts'
import type { SessionTables } from './tables.ts'

/**
 * Counts the sessions that have not ended, for `keystile backup` and `keystile restore`. Includes
 * expired sessions that housekeeping has not deleted yet.
 */
export async function countSessions(reader: Reader): Promise<number> {
  const { count } = await inTables<SessionTables>(reader)
    .selectFrom('session')
    .select((row) => row.fn.countAll().as('count'))
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(count)
}
