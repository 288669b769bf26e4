// The feed of revocations. Every process reads the events of all processes on the same database,
// and answers from memory whether a token is revoked. How a revocation travels:
//
// 1. Sessions end by a revocation, by the reuse of a refresh token, when a user is disabled or
//    deleted, and when a password changes. The transaction that ends a session inserts an event
//    (`in-transaction.ts`), which has no number yet. When a user is disabled, the events name the
//    sessions and not the subject: an event of the subject would refuse all tokens of the user
//    until it expires, even after the user is enabled again.
// 2. The process that commits gets its events as a notice (`announce` in storage/notices.ts). So
//    it refuses the tokens before it answers, and does not wait for a read (`notices.ts`).
// 3. Every process reads each 250 ms, and soon after its own commits (`read-schedule.ts`). A read
//    (`follower.ts`) first numbers all events that have no number (`store.ts`), in a transaction
//    that locks one row. Then it reads the events after the last number that it knows. So numbers
//    become visible in order, writers never wait for each other, and every process knows an event
//    within a second.
// 4. On PostgreSQL, the transaction that numbers events also signals the other processes, which
//    read at once. Nothing depends on signals: without them, they read 250 ms later.
// 5. `event-log.ts` keeps the revocations for verifiers in other processes
//    (features/tokens/revocation-feed).
//
// An event expires 70 s after the last token that it revokes; that of a signing key after ten
// years. Housekeeping waits a day more, because the clock of the process that deletes may be ahead.
// While the database does not answer, a process answers 503 when its last successful query is 4 s
// old.
//
// A changed user travels in the same way, as an event of the kind `user`, which revokes nothing:
// features/users/directory/user-cache.ts. The feed reads the schema mark too:
// storage/schema-mark.ts.
//
// What could delay a revocation, or undo it:
//
// - A process freezes inside a transaction and keeps its locks. PostgreSQL ends the transaction
//   after 3 s without a statement (`begin` in storage/postgres-dialect.ts), before the other
//   processes have waited 4 s. The frozen process later finds its connection closed.
// - The database loses its latest commits in a failover, and new events get the same numbers. So at
//   each read, a process checks that the last event that it knows still has its id, and otherwise
//   reads all events again. Sessions whose end was lost are valid again: see SECURITY.md. A restore
//   skips numbers (`skipNumbers`) for the same reason.
// - The clock is ahead and is set back: `memory-purge.ts`.
// - Requests use all connections: one stays free for the feed (`urgent` in storage/database.ts).

import type { Revocations } from 'keystile'
import { createRevocationList, isRevocationKind, type Clock, type Logger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { createEventLog, type EventLog } from './event-log.ts'
import { createFollower } from './follower.ts'
import { createMemoryPurge } from './memory-purge.ts'
import { changedUserOf, revocationsOf } from './notices.ts'
import { createReads } from './reads.ts'
import type { FeedEvent } from './store.ts'

/** The revocations by all processes that use this database. */
export interface EventFeed {
  /** Tells the verifier of this process whether a token is revoked. */
  readonly revocations: Revocations
  /**
   * Gives numbers to all new events and reads them. When the promise resolves, this process refuses
   * the tokens that any process had revoked before the call.
   */
  tail(): Promise<void>
  /**
   * Starts the work of `tail()` and does not wait for its end. Starts it immediately, or as soon as
   * 20 ms have passed since the previous start. Call `hasten()` after a commit of this process, so
   * that the other processes get the revocations of this process soon. This process has known them
   * since the commit.
   */
  hasten(): void
  /** How many seconds ago the latest successful read started. */
  readonly ageSeconds: number
  /**
   * Registers a listener, which gets each event, in the order of the event numbers. If the database
   * has lost events, for example by a restore, the listener gets all events again.
   */
  onEvent(listener: (event: FeedEvent) => void): void
  /** The revocations that have not expired, for verifiers in other processes. */
  readonly log: EventLog
  /** Registers a listener, which is called after each successful read. */
  onRead(listener: () => void): void
  /**
   * Reads new events as soon as the database signals that another process has given them numbers.
   * So the revocations of that process arrive here within milliseconds instead of a quarter of a
   * second. Does nothing if the database cannot send signals.
   */
  followSignals(): void
  /**
   * Registers a listener that gets the subject of each changed user. After a change by this
   * process, the listener is called before the promise of the command resolves. After a change by
   * another process, it is called within a second.
   */
  onUserChanged(listener: (subject: string) => void): void
  /**
   * Registers a listener that is called if this process may have missed changes of users: because
   * it could not read events for a while, or because the database has lost events. The listener is
   * called when events can be read again. While the feed is `stale`, this process does not learn of
   * changes, and the listener is NOT called.
   */
  onGap(listener: () => void): void
  /** Stops reading, and waits for a read that is in progress. */
  close(): Promise<void>
}

/**
 * Starts to follow the events of a database. Resolves when it has read all stored events, so that
 * every request is checked against them.
 */
export async function openEventFeed(
  database: Database,
  options: { readonly clock: Clock; readonly logger: Logger },
): Promise<EventFeed> {
  const { clock, logger } = options
  const list = createRevocationList()
  const log = createEventLog()
  const purge = createMemoryPurge(clock, [list, log])
  const events = createListeners<FeedEvent>()
  const changedUsers = createListeners<string>()
  const gaps = createListeners()
  const goodReads = createListeners()

  const warnOfKind = createKindWarning(logger)

  function takeIn(event: FeedEvent): void {
    const { kind, value } = event
    if (kind === 'user') changedUsers.tell(value)
    else if (isRevocationKind(kind)) {
      list.add({ ...event, kind })
      log.add(event)
    } else return warnOfKind(kind)
    events.tell(event)
  }

  database.onCommitted((notice) => {
    for (const event of revocationsOf(notice)) list.add(event)
    const subject = changedUserOf(notice)
    if (subject !== undefined) changedUsers.tell(subject)
  })
  const follower = createFollower(database.urgent, {
    clock,
    logger,
    onEvent: takeIn,
    onStartOver: log.startOver,
    onCaughtUp: log.show,
    onGap: gaps.tell,
  })
  const reads = createReads(follower, { purge, logger, onRead: goodReads.tell })
  database.checkWrites(reads.checkWrite)
  await reads.start()

  return {
    tail: reads.run,
    hasten: reads.hasten,
    get ageSeconds() {
      return reads.ageMilliseconds() / 1000
    },
    onEvent: events.add,
    followSignals: () => database.onSignal(reads.hasten),
    log,
    onRead: goodReads.add,
    onUserChanged: changedUsers.add,
    onGap: gaps.add,
    revocations: {
      get state() {
        return reads.areCurrent() && !purge.hasRemovedTooMuch() ? 'current' : 'stale'
      },
      isRevoked: (token) => list.isRevoked(token),
      refresh: reads.refresh,
    },
    close: reads.close,
  }
}

function createListeners<Value = void>(): {
  add(listener: (value: Value) => void): void
  tell(value: Value): void
} {
  const listeners: ((value: Value) => void)[] = []
  return {
    add: (listener) => void listeners.push(listener),
    tell(value) {
      for (const listener of listeners) listener(value)
    },
  }
}

/**
 * Returns a function that logs a warning the first time it is called. It is called for events of a
 * kind that only a later release knows. Such events must not stop the feed, because without the
 * feed the process refuses all tokens.
 */
function createKindWarning(logger: Logger): (kind: string) => void {
  let hasWarned = false
  return (kind) => {
    if (!hasWarned)
      logger.warn({ kind }, 'this release does not know a kind of revocation, and ignores it')
    hasWarned = true
  }
}
