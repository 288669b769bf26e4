import type { Database } from '../../../storage/database.ts'
import { countMails } from './store.ts'

/** Returns the number of dead letters. Returns 0 if the database has no tables yet. */
export async function countDeadMails({ reader }: Pick<Database, 'reader'>): Promise<number> {
  return (await countMails(reader)).dead
}
