import { silentLogger } from 'keystile/internal'
import type { Call } from '../../../feature/cli-command.ts'
import type { Database } from '../../../storage/database.ts'
import { openEventFeed, type EventFeed } from './events.ts'

/**
 * Opens the database of a command line and the feed of its events, runs `work`, and closes both.
 * For commands such as `keystile client disable`: they wait for the feed before they print that the
 * tokens are revoked.
 */
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
