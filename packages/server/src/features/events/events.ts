import { setTimeout as delay } from 'node:timers/promises'
import {
  createRevocationList,
  type Clock,
  type Logger,
  type RevocationEvent,
} from 'keystile/internal'
import type { Revocations } from 'keystile'
import type { Database } from '../../storage/database.ts'
import { createFollower } from './follower.ts'

const tailMilliseconds = 250
/** After this long without news, what was revoked meanwhile is unknown. */
const staleAfterMilliseconds = 4_000

/**
 * So long a token waits for news when none has come: then it is refused as not known, rather than
 * held.
 */
const catchUpMilliseconds = 1_000

/** What was revoked, by whichever process on this database. */
export interface EventFeed {
  /** For the verifier of this process. */
  readonly revocations: Revocations
  /**
   * Numbers and reads what is new. Called after a commit that made an event, it returns when this
   * process heeds it.
   */
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
  const follower = createFollower(database.urgent, {
    clock,
    logger,
    onEvent(event) {
      list.add(event)
      for (const listener of listeners) listener(event)
    },
  })
  const steps = createTurns(async () => {
    await follower.step()
    list.purge(clock.now())
  })
  const ageMilliseconds = (): number => performance.now() - follower.knownAt

  await steps.run()
  const stop = runRegularly(steps.run, logger)

  return {
    tail: steps.run,
    get ageSeconds() {
      return ageMilliseconds() / 1000
    },
    onEvent: (listener) => listeners.push(listener),
    revocations: {
      get state() {
        return ageMilliseconds() < staleAfterMilliseconds ? 'current' : 'stale'
      },
      isRevoked: (token) => list.isRevoked(token),
      refresh: () =>
        Promise.race([
          steps.run().catch(() => {}),
          delay(catchUpMilliseconds, undefined, { ref: false }),
        ]),
    },
    async close() {
      stop()
      await steps.finish()
    },
  }
}

/** Does work one run at a time: a caller gets the next run, which starts after the call. */
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
 * Runs a step each 250 ms, and logs when it begins to fail and when it works again. Returns what
 * stops that.
 */
function runRegularly(step: () => Promise<void>, logger: Logger): () => void {
  let isStopped = false
  let isFailing = false

  const timer = setInterval(() => {
    void step().then(
      () => {
        if (isFailing) logger.info({}, 'revocations arrive again')
        isFailing = false
      },
      (error: unknown) => {
        if (!isFailing && !isStopped) logger.error({ err: error }, 'revocations do not arrive')
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
