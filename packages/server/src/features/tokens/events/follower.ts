// Follows the events of one database. A follower knows the last number that it has read, and
// notices if the database has lost events that the follower had read.

import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { requireNotExcluded } from '../../../storage/require-schema.ts'
import { userEventMilliseconds } from './in-transaction.ts'
import { listEventsAfter, numberEvents, readFeed, type FeedEvent, type FeedState } from './store.ts'

/** Reads the events of a database in the order of their numbers, from the first one on. */
export interface Follower {
  /** Gives a number to each event that has none. Then passes each new event to `onEvent`. */
  step(): Promise<void>
  /** Makes the next step pass all events to `onEvent` again. */
  startOver(): void
  /** The start of the latest successful read, as a time of `performance.now()`. */
  readonly knownAt: number
}

/**
 * How old the last successful read may be. If it is older, the feed is `stale`: it may lack
 * revocations. An outage of the database exceeds this limit; a slow database does not.
 */
export const staleAfterMilliseconds = 4_000

/**
 * One step calls them in this order: `onStartOver`, `onEvent`, `onCaughtUp`, `onGap`. `knownAt`
 * changes after all of them. `startOver()` calls `onStartOver` at once.
 */
export interface FollowerParts {
  readonly clock: Clock
  readonly logger: Logger
  /** The next step, or the rest of this one, passes all events to `onEvent` again. */
  readonly onStartOver: () => void
  readonly onEvent: (event: FeedEvent) => void
  /** All events were passed again. */
  readonly onCaughtUp: () => void
  /** The follower may have missed events about changed users. */
  readonly onGap: () => void
}

/** The last event that was read. */
interface Position {
  readonly seq: number
  readonly id: string | undefined
}

const beforeFirst: Position = { seq: 0, id: undefined }

const lostEvents =
  'the database has lost revocations that this process had read; reading them all again'

/**
 * Creates a follower. It starts over from the first event if the number of the last event that it
 * read has become wrong: in the database, it belongs to no event, or to another event. There are
 * two possible causes. Either the event was deleted, long after its tokens expired. Or a failover
 * or a restored backup lost the latest commits. `onEvent` then gets old events twice, which does no
 * harm.
 *
 * One gap remains, because the follower checks only the last event that it read. Events get their
 * numbers in a later commit, and a failover may lose only this commit. The database then numbers
 * the events again. If the last event gets its old number, but an event that the follower has not
 * read gets a lower number, the follower never reads that event.
 */
export function createFollower(database: Database['urgent'], parts: FollowerParts): Follower {
  const { clock, logger, onEvent, onStartOver, onCaughtUp, onGap } = parts
  let lastRead: ReadTime = { knownAt: performance.now(), wallTime: clock.now() }
  let last = beforeFirst
  /** True from `startOver()` until all events have been read again. */
  let isStartingOver = false

  async function deliverNew(): Promise<void> {
    for (;;) {
      const events = await listEventsAfter(database.reader, last.seq, clock.now())
      if (events.length === 0) return
      for (const event of events) {
        onEvent(event)
        last = event
      }
    }
  }

  function startOver(): void {
    last = beforeFirst
    isStartingOver = true
    onStartOver()
  }

  return {
    startOver,
    async step() {
      const wallTime = clock.now()
      const { feed, knownAt } = await readNumbered(database, last.seq)
      if (feed.idAt !== last.id) {
        if (hasLostEvents(feed, last)) logger.warn({}, lostEvents)
        startOver()
      }
      await deliverNew()

      if (isStartingOver) onCaughtUp()
      if (isStartingOver || mayHaveMissedUsers(lastRead, wallTime)) onGap()
      isStartingOver = false
      // Uses the time of the query, not of the answer: a slow answer does not contain revocations
      // that were added after the query.
      lastRead = { wallTime, knownAt }
    },
    get knownAt() {
      return lastRead.knownAt
    },
  }
}

/** Whether the last event was lost. Otherwise it was deleted, after it had expired. */
function hasLostEvents({ seq, idAt }: FeedState, last: Position): boolean {
  return seq < last.seq || idAt !== undefined
}

/** When the last successful read began, by two clocks. */
interface ReadTime {
  /**
   * A time of `performance.now()`, because the age of the feed is elapsed time, and the wall clock
   * may jump.
   */
  readonly knownAt: number
  /** A time of the wall clock, which runs while the machine sleeps. The other clock may not. */
  readonly wallTime: number
}

/** Whether the process may have missed events about changed users since the last read. */
function mayHaveMissedUsers(last: ReadTime, wallTime: number): boolean {
  const wasStale = performance.now() - last.knownAt >= staleAfterMilliseconds
  const wasAsleep = wallTime - last.wallTime > userEventMilliseconds / 2
  return wasStale || wasAsleep
}

/**
 * Gives a number to each event that has none, so that no event is skipped. Then returns the state
 * of the feed, and the time at which this function began to read. All events that were committed
 * before this time have numbers now. Events that are committed during the call may be left without
 * a number: under load there are always new ones.
 *
 * @throws {NewerSchemaError} if this release may no longer run on the database
 */
async function readNumbered(
  database: Database['urgent'],
  at: number,
): Promise<{ readonly feed: FeedState; readonly knownAt: number }> {
  const knownAt = performance.now()
  const feed = await readFeed(database.reader, at)
  requireNotExcluded(feed.mark)
  if (!feed.hasUnnumbered) return { feed, knownAt }

  while ((await database.write(numberEvents, undefined)).hasMore);
  return { feed: await readFeed(database.reader, at), knownAt }
}
