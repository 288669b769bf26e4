import type { Database } from '../../../storage/database.ts'
import { countMails } from './store.ts'

/**
 * Counts the mails that could not be sent and are not tried again, for the rule `mail-sent`
 * (`feature.ts`). Other rooms call this function, because `store.ts` is private. Returns 0 if the
 * database has no tables yet.
 */
export async function countDeadMails({ reader }: Pick<Database, 'reader'>): Promise<number> {
  return (await countMails(reader)).dead
}
