import { setTimeout as delay } from 'node:timers/promises'
import { createRevocationList, type Clock, type Logger, type RevocationEvent } from 'keystile/internal'
import type { Revocations } from 'keystile'
import type { Database } from '../../storage/database.ts'
import { listEventsAfter, numberEvents, readFeed, type FeedState } from './store.ts'

const tailMilliseconds = 250
/** After this long without news, what was revoked meanwhile is unknown. */
const staleAfterMilliseconds = 4_000

/** So long a token waits for news when none has come: then it is refused as not known, rather than held. */
const catchUpMilliseconds = 1_000

/** Before the first event. */
const nothing = { seq: 0, id: undefined }

/** What was revoked, by whichever process on this database. */
export interface EventFeed {
  /** For the verifier of this process. */
  readonly revocations: Revocations
  /** Numbers and reads what is new. Called after a commit that made an event, it returns when this process heeds it. */
  tail(): Promise<void>
  /** How old the news is: since it was asked for. */
  readonly ageSeconds: number
  /** Told of each event in order, and of all again where the database has lost some. */
  onEvent(listener: (event: RevocationEvent) => void): void
  close(): Promise<void>
}

/** Starts to follow the events of a database; the first snapshot is read before this resolves. */
export async function openEventFeed(
  database: Database,
  options: { readonly clock: Clock; readonly logger: Logger },
): Promise<EventFeed> {
  const { clock, logger } = options
  const list = createRevocationList()
  const listeners: ((event: RevocationEvent) => void)[] = []
  const { urgent } = database
  let last: { readonly seq: number; readonly id: string | undefined } = nothing
  // Not the injected clock: how long nothing came is a matter of this machine, whatever time it is.
  let knownAt = performance.now()

  async function step(): Promise<void> {
    let askedAt = performance.now()
    let feed = await readFeed(urgent.reader, last.seq)
    while (feed.hasUnnumbered) {
      await urgent.write(numberEvents, undefined)
      askedAt = performance.now()
      feed = await readFeed(urgent.reader, last.seq)
    }
    if (feed.idAt !== last.id) startOver(feed)
    for (;;) {
      const events = await listEventsAfter(urgent.reader, last.seq, clock.now())
      for (const event of events) {
        list.add(event)
        for (const listener of listeners) listener(event)
        last = event
      }
      if (events.length === 0) break
    }
    list.purge(clock.now())
    // An answer that was long on its way tells nothing of what was revoked after the question.
    knownAt = askedAt
  }

  /**
   * Reads all events again, because the last one that was read is no longer there. Either it was deleted,
   * long after its tokens expired, or the database lost its latest commits (a failover, a restored
   * backup) and gives their numbers to other events. To add an event twice does no harm.
   *
   * What remains: the loss goes unnoticed where a process reads nothing for the time in which the
   * database loses events, gives the last one the same number again, and another event a lower one.
   */
  function startOver({ seq, idAt }: FeedState): void {
    if (seq < last.seq || idAt !== undefined)
      logger.warn({}, 'the database has lost revocations that were read before; all are read again')
    last = nothing
  }

  let running: Promise<void> = Promise.resolve()
  let queued: Promise<void> | undefined
  /** One at a time; whoever asks while one runs gets the next, which starts after they asked. */
  function tail(): Promise<void> {
    queued ??= running.then(() => {
      queued = undefined
      const run = step()
      running = run.catch(() => {})
      return run
    })
    return queued
  }

  await tail()
  let closed = false
  let isFailing = false
  const timer = setInterval(() => {
    void tail().then(
      () => {
        if (isFailing) logger.info({}, 'revocations arrive again')
        isFailing = false
      },
      (error: unknown) => {
        if (!isFailing && !closed) logger.error({ err: error }, 'revocations do not arrive')
        isFailing = true
      },
    )
  }, tailMilliseconds)
  timer.unref()

  return {
    tail,
    get ageSeconds() {
      return (performance.now() - knownAt) / 1000
    },
    onEvent: (listener) => listeners.push(listener),
    revocations: {
      get state() {
        return performance.now() - knownAt < staleAfterMilliseconds ? 'current' : 'stale'
      },
      isRevoked: (token) => list.isRevoked(token),
      refresh: () => Promise.race([tail().catch(() => {}), delay(catchUpMilliseconds, undefined, { ref: false })]),
    },
    async close() {
      closed = true
      clearInterval(timer)
      await Promise.allSettled([queued ?? running])
    },
  }
}
