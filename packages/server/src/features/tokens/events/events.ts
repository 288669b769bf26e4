// The feed of revocations. Every process reads the events of all processes on the same database,
// and answers from memory whether a token is revoked. How a revocation travels:
//
// 1. Sessions end by a revocation, by the reuse of a refresh token, when a user is disabled or
//    deleted, and when a password changes. The transaction that ends a session inserts an event
//    (`in-transaction.ts`), which has no number yet. When a user is disabled, the events name the
//    sessions and not the subject: an event of the subject would refuse all tokens of the user
//    until it expires, even after the user is enabled again.
// 2. The process that commits gets its events as a notice (`announce` in storage/database.ts). So
//    it refuses the tokens before it answers, and does not wait for a read.
// 3. Every process reads each 250 ms, and soon after its own commits (`follower.ts`). It first
//    numbers all events that have no number (`store.ts`), in a transaction that locks one row. Then
//    it reads the events after the last number that it knows. So numbers become visible in order,
//    writers never wait for each other, and every process knows an event within a second.
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
// features/users/directory/user-cache.ts. The feed reads the schema mark too: storage/migrate.ts.
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
// - The clock is ahead and is set back: `createPurge`.
// - Requests use all connections: one stays free for the feed (`urgent` in storage/database.ts).

import { setTimeout as delay } from 'node:timers/promises'
import { createRevocationList, isRevocationKind, type Clock, type Logger } from 'keystile/internal'
import type { Revocations } from 'keystile'
import { DatabaseUnavailableError, type Database } from '../../../storage/database.ts'
import { NewerSchemaError } from '../../../storage/schema-mark.ts'
import { createEventLog, type EventLog } from './event-log.ts'
import { createFollower, staleAfterMilliseconds } from './follower.ts'
import { changedUserOf, revocationsOf } from './in-transaction.ts'
import type { FeedEvent } from './store.ts'

/**
 * The time between two reads. With four reads a second, a revocation reaches every process within a
 * second, even if one read fails.
 */
const tailMilliseconds = 250
/**
 * The shortest time between two reads that `hasten()` starts. Because of this pause, most
 * revocations under load share a read. Fewer reads are better: a read also commits the numbers of
 * new events, and each commit waits for the disk.
 */
const hastenedMilliseconds = 20
/**
 * How long expired revocations are kept. A revocation expires later than its tokens. So if the
 * clock is set back by less than this time, the tokens of a removed revocation stay expired.
 */
const keptMilliseconds = 60_000
/**
 * How long a token check waits for a read if the feed is stale. After this time, the check fails
 * with `temporarily_unavailable`, so that requests do not pile up during an outage.
 */
const catchUpMilliseconds = 1_000
/**
 * How old the last successful read may be when this process writes. If it is older, the write waits
 * for a new read, which also checks the version of the tables. While this process was frozen, a
 * newer release may have changed the tables so that this release cannot use them. The check
 * prevents a write to such tables. The option `notice` in storage/migrate-postgres.ts must be
 * longer than this time.
 */
const maxUncheckedMilliseconds = 8_000

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
  const listeners: ((event: FeedEvent) => void)[] = []
  const readListeners: (() => void)[] = []
  const userListeners: ((subject: string) => void)[] = []
  const gapListeners: (() => void)[] = []
  const reportUser = (subject: string): void => {
    for (const listener of userListeners) listener(subject)
  }
  const warnOfKind = createKindWarning(logger)
  database.onCommitted((notice) => {
    for (const event of revocationsOf(notice)) list.add(event)
    const subject = changedUserOf(notice)
    if (subject !== undefined) reportUser(subject)
  })
  const follower = createFollower(database.urgent, {
    clock,
    logger,
    onEvent(event) {
      const { kind } = event
      if (kind === 'user') reportUser(event.value)
      else if (isRevocationKind(kind)) {
        list.add({ ...event, kind })
        log.add(event)
      } else return warnOfKind(kind)
      for (const listener of listeners) listener(event)
    },
    onRestart: () => log.startOver(),
    onRestarted: () => log.show(),
    onGap() {
      for (const listener of gapListeners) listener()
    },
  })
  const purge = createPurge(clock, [list, log])
  /**
   * The error that every write of this process throws after a newer release has begun to change the
   * tables, if this release can no longer use them. Otherwise undefined.
   */
  let refusal: NewerSchemaError | undefined
  const steps = createTurns(async () => {
    const startsOver = purge.isTooLate()
    if (startsOver) {
      logger.warn({}, 'the clock was set back; reading all revocations again')
      follower.startOver()
    }
    await follower.step().catch((error: unknown) => {
      if (error instanceof NewerSchemaError) refusal = error
      throw error
    })
    refusal = undefined
    // If the clock was set back during this step, the next step starts over.
    if (startsOver || !purge.isTooLate()) purge.run()
    for (const listener of readListeners) listener()
  })
  const ageMilliseconds = (): number => performance.now() - follower.knownAt
  /** Waits for one read, at most a second. Returns the error of the read. */
  const catchUp = (): Promise<unknown> =>
    Promise.race([
      steps.run().catch((error: unknown) => error),
      delay(catchUpMilliseconds, undefined, { ref: false }),
    ])

  database.checkWrites((isUrgent) => {
    if (refusal) throw refusal
    if (isUrgent || ageMilliseconds() < maxUncheckedMilliseconds) return undefined

    return catchUp().then((cause) => {
      if (refusal) throw refusal
      if (ageMilliseconds() >= maxUncheckedMilliseconds)
        throw noAnswerFor(maxUncheckedMilliseconds, cause)
    })
  })

  const { hasten, stop: stopHastening } = createHasten(() => void steps.run().catch(() => {}))
  await steps.run()
  const stop = runRegularly(steps.run, logger)

  return {
    tail: steps.run,
    hasten,
    get ageSeconds() {
      return ageMilliseconds() / 1000
    },
    onEvent: (listener) => listeners.push(listener),
    followSignals: () => database.onSignal(hasten),
    log,
    onRead: (listener) => readListeners.push(listener),
    onUserChanged: (listener) => userListeners.push(listener),
    onGap: (listener) => gapListeners.push(listener),
    revocations: {
      get state() {
        return ageMilliseconds() < staleAfterMilliseconds && !purge.isTooLate()
          ? 'current'
          : 'stale'
      },
      isRevoked: (token) => list.isRevoked(token),
      async refresh() {
        const cause = await catchUp()
        if (ageMilliseconds() >= staleAfterMilliseconds)
          throw cause ?? noAnswerFor(staleAfterMilliseconds)
      },
    },
    async close() {
      stop()
      stopHastening()
      await steps.finish()
    },
  }
}

function noAnswerFor(milliseconds: number, cause?: unknown): DatabaseUnavailableError {
  const message = `the database has not answered for ${milliseconds / 1000} s`
  return new DatabaseUnavailableError(message, { cause })
}

/**
 * Creates the function `run` that removes expired revocations from lists, and the function
 * `isTooLate`. `isTooLate` returns true if the clock was set back so far that tokens whose
 * revocations were removed may be valid again.
 */
function createPurge(
  clock: Clock,
  lists: readonly { purge(now: number): void }[],
): { run(): void; isTooLate(): boolean } {
  let purgedAt = Number.NEGATIVE_INFINITY
  return {
    run() {
      purgedAt = clock.now()
      for (const list of lists) list.purge(purgedAt - keptMilliseconds)
    },
    isTooLate: () => clock.now() < purgedAt - keptMilliseconds,
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

/**
 * Creates functions that run `work`, one run at a time. A caller of `run()` waits for a run that
 * starts after the call, because a run in progress may have read the database before the caller's
 * commit. All waiting callers share the next run.
 */
function createTurns(work: () => Promise<void>): { run(): Promise<void>; finish(): Promise<void> } {
  let running: Promise<void> = Promise.resolve()
  let queued: Promise<void> | undefined

  return {
    run() {
      queued ??= running.then(() => {
        queued = undefined
        const run = work()
        running = run.catch(() => {})
        return run
      })
      return queued
    },
    async finish() {
      await Promise.allSettled([queued ?? running])
    },
  }
}

/**
 * Creates the function `hasten`, which starts `work` at once, or as soon as 20 ms have passed since
 * the previous start. If a start is waiting, `stop()` starts `work` at once. After `stop()`,
 * `hasten` starts nothing.
 */
function createHasten(work: () => void): { hasten(): void; stop(): void } {
  let startedAt = Number.NEGATIVE_INFINITY
  let waiting: NodeJS.Timeout | undefined
  let isStopped = false

  const start = (): void => {
    waiting = undefined
    startedAt = performance.now()
    work()
  }
  return {
    hasten() {
      if (waiting || isStopped) return
      const pause = startedAt + hastenedMilliseconds - performance.now()
      if (pause <= 0) start()
      else waiting = setTimeout(start, pause).unref()
    },
    stop() {
      isStopped = true
      if (!waiting) return
      clearTimeout(waiting)
      start()
    },
  }
}

/**
 * Runs a step every 250 ms. If several runs in a row fail, logs only the first failure. Also logs
 * when the step works again.
 *
 * @returns a function that stops these runs
 */
function runRegularly(step: () => Promise<void>, logger: Logger): () => void {
  let isStopped = false
  let isFailing = false

  const timer = setInterval(() => {
    void step().then(
      () => {
        if (isFailing) logger.info({}, 'revocations can be read again')
        isFailing = false
      },
      (error: unknown) => {
        if (!isFailing && !isStopped) logger.error({ err: error }, 'revocations cannot be read')
        isFailing = true
      },
    )
  }, tailMilliseconds)
  timer.unref()

  return () => {
    isStopped = true
    clearInterval(timer)
  }
}
