import type { Database } from '../../../storage/database.ts'
import { countEvents } from './store.ts'

/**
 * Counts the events that are older than seven days and that the app has not handled, for the rule
 * `events-handled` (`feature.ts`). Other rooms call this function, because `store.ts` is private.
 * Returns 0 if the database has no tables yet.
 */
export async function countDeadEvents(
  { reader }: Pick<Database, 'reader'>,
  now: number,
): Promise<number> {
  return (await countEvents(reader, now)).dead
}
