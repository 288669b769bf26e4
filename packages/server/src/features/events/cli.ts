import { silentLogger } from 'keystile/internal'
import type { Call } from '../../feature/cli-command.ts'
import type { Database } from '../../storage/database.ts'
import { openEventFeed, type EventFeed } from './events.ts'

/** Works on the database of a call, and follows its events meanwhile. */
export async function withEventFeed(
  { withDatabase, clock }: Pick<Call<unknown>, 'withDatabase' | 'clock'>,
  work: (database: Database, feed: EventFeed) => Promise<void>,
  options?: { readonly mayCreate: boolean },
): Promise<void> {
  await withDatabase(async (database) => {
    const feed = await openEventFeed(database, { clock, logger: silentLogger })
    try {
      await work(database, feed)
    } finally {
      await feed.close()
    }
  }, options)
}
