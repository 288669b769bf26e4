import type { Database } from '../../storage/database.ts'
import { countEvents } from './store.ts'

/**
 * Returns the number of events that no handler of the app has accepted for seven days. Returns 0 if
 * the database has no tables yet.
 */
export async function countDeadEvents(
  { reader }: Pick<Database, 'reader'>,
  now: number,
): Promise<number> {
  return (await countEvents(reader, now)).dead
}
