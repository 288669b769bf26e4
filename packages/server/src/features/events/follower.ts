import type { Clock, Logger, RevocationEvent } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { listEventsAfter, numberEvents, readFeed, type FeedState } from './store.ts'

/** Reads the events of a database in the order of their numbers, from the first one on. */
export interface Follower {
  /** Numbers the events that have no number, and tells of each event that is new. */
  step(): Promise<void>
  /** When the latest news was asked for, as `performance.now()` tells time. */
  readonly knownAt: number
}

/** Before the first event. */
const nothing = { seq: 0, id: undefined }

export function createFollower(
  database: Database['urgent'],
  parts: {
    readonly clock: Clock
    readonly logger: Logger
    readonly onEvent: (event: RevocationEvent) => void
  },
): Follower {
  const { clock, logger, onEvent } = parts
  let last: { readonly seq: number; readonly id: string | undefined } = nothing
  // Not the injected clock: how long nothing came is a matter of this machine, whatever time it is.
  let knownAt = performance.now()

  async function tellNew(): Promise<void> {
    for (;;) {
      const events = await listEventsAfter(database.reader, last.seq, clock.now())
      if (events.length === 0) return
      for (const event of events) {
        onEvent(event)
        last = event
      }
    }
  }

  /**
   * Reads all events again, because the last one that was read is no longer there. Either it was
   * deleted, long after its tokens expired, or the database lost its latest commits (a failover, a
   * restored backup) and gives their numbers to other events. To add an event twice does no harm.
   *
   * What remains: the loss goes unnoticed where a process reads nothing for the time in which the
   * database loses events, gives the last one the same number again, and another event a lower one.
   */
  function startOver({ seq, idAt }: FeedState): void {
    if (seq < last.seq || idAt !== undefined)
      logger.warn({}, 'the database has lost revocations that were read before; all are read again')
    last = nothing
  }

  return {
    async step() {
      const { feed, askedAt } = await readNumbered(database, last.seq)
      if (feed.idAt !== last.id) startOver(feed)
      await tellNew()
      // An answer that was long on its way tells nothing of what was revoked after the question.
      knownAt = askedAt
    },
    get knownAt() {
      return knownAt
    },
  }
}

/** Reads the state of the feed when everything that was committed before has its number. */
async function readNumbered(
  database: Database['urgent'],
  at: number,
): Promise<{ readonly feed: FeedState; readonly askedAt: number }> {
  for (;;) {
    const askedAt = performance.now()
    const feed = await readFeed(database.reader, at)
    if (!feed.hasUnnumbered) return { feed, askedAt }
    await database.write(numberEvents, undefined)
  }
}
