import { setTimeout as delay } from 'node:timers/promises'
import { createRevocationList, type Clock, type Logger, type RevocationEvent } from 'keystile/internal'
import type { Revocations } from 'keystile'
import type { Database } from '../../storage/database.ts'
import { hasUnnumberedEvents, listEventsAfter, numberEvents } from './store.ts'

const tailMilliseconds = 250
/** After this long without news, what was revoked meanwhile is unknown. */
const staleAfterMilliseconds = 4_000

/** So long a token waits for news when none has come: then it is refused as not known, rather than held. */
const catchUpMilliseconds = 1_000

/** What was revoked, by whichever process on this database. */
export interface EventFeed {
  /** For the verifier of this process. */
  readonly revocations: Revocations
  /** Numbers and reads what is new. Called after a commit that made an event, it returns when this process heeds it. */
  tail(): Promise<void>
  /** Since the events were last read. */
  readonly ageSeconds: number
  /** Told of each event once, in order. */
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
  let lastSeq = 0
  // Not the injected clock: how long nothing came is a matter of this machine, whatever time it is.
  let lastTailAt = performance.now()

  async function step(): Promise<void> {
    while (await hasUnnumberedEvents(database.urgent.reader)) await database.urgent.write(numberEvents, undefined)
    for (;;) {
      const events = await listEventsAfter(database.urgent.reader, lastSeq, clock.now())
      for (const event of events) {
        list.add(event)
        for (const listener of listeners) listener(event)
        lastSeq = event.seq
      }
      if (events.length === 0) break
    }
    list.purge(clock.now())
    lastTailAt = performance.now()
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
      return (performance.now() - lastTailAt) / 1000
    },
    onEvent: (listener) => listeners.push(listener),
    revocations: {
      get state() {
        return performance.now() - lastTailAt < staleAfterMilliseconds ? 'current' : 'stale'
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
