// When a process reads the events, and what it may do if it could not read them for a while.
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'keystile/internal'
import { DatabaseUnavailableError, type WriteCheck } from '../../../storage/database.ts'
import { NewerSchemaError } from '../../../storage/require-schema.ts'
import { staleAfterMilliseconds, type Follower } from './follower.ts'

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

/** Removes expired revocations from memory. */
export interface Purge {
  run(): void
  /**
   * Whether the clock was set back so far that tokens whose revocations were removed may be valid
   * again.
   */
  isTooLate(): boolean
}

/** The reads of one process. */
export interface Reads {
  /** Reads once. If that succeeds, reads regularly from now on. */
  start(): Promise<void>
  /** Waits for a read that starts after the call. */
  run(): Promise<void>
  /** See `EventFeed.hasten`. */
  hasten(): void
  /** How long ago the latest successful read started. */
  ageMilliseconds(): number
  /** Whether the latest successful read is younger than 4 s, so that tokens may be accepted. */
  areCurrent(): boolean
  /** Waits for a read, at most a second. @throws {Error} if the reads are not current then */
  refresh(): Promise<void>
  /**
   * Called before each write of this process.
   *
   * @throws {NewerSchemaError} after a newer release has begun to change the tables, if this
   *   release can no longer use them
   * @throws {DatabaseUnavailableError} if the latest read is too old, and a new one does not
   *   succeed within a second
   */
  readonly checkWrite: WriteCheck
  /** Stops reading, and waits for a read that is in progress. */
  close(): Promise<void>
}

interface ReadParts {
  readonly purge: Purge
  readonly logger: Logger
  /** Called after each successful read. */
  readonly onRead: () => void
}

/** Creates the reads of a process, one at a time. */
export function createReads(follower: Follower, parts: ReadParts): Reads {
  const { logger, onRead } = parts
  /** Set while this release may no longer write. */
  let refusal: NewerSchemaError | undefined
  let stop = (): void => {}

  const turns = createTurns(async () => {
    await readOnce(follower, parts).catch((error: unknown) => {
      if (error instanceof NewerSchemaError) refusal = error
      throw error
    })
    refusal = undefined
    onRead()
  })
  const hastened = createHasten(() => void turns.run().catch(() => {}))

  const ageMilliseconds = (): number => performance.now() - follower.knownAt
  const areCurrent = (): boolean => ageMilliseconds() < staleAfterMilliseconds
  /** Waits for one read, at most a second. Returns the error of the read. */
  const catchUp = (): Promise<unknown> =>
    Promise.race([
      turns.run().catch((error: unknown) => error),
      delay(catchUpMilliseconds, undefined, { ref: false }),
    ])

  return {
    async start() {
      await turns.run()
      stop = runRegularly(turns.run, logger)
    },
    run: turns.run,
    hasten: hastened.hasten,
    ageMilliseconds,
    areCurrent,
    async refresh() {
      const cause = await catchUp()
      if (!areCurrent()) throw cause ?? noAnswerFor(staleAfterMilliseconds)
    },
    checkWrite(isUrgent) {
      if (refusal) throw refusal
      if (isUrgent || ageMilliseconds() < maxUncheckedMilliseconds) return undefined

      return catchUp().then((cause) => {
        if (refusal) throw refusal
        if (ageMilliseconds() >= maxUncheckedMilliseconds)
          throw noAnswerFor(maxUncheckedMilliseconds, cause)
      })
    },
    async close() {
      stop()
      hastened.stop()
      await turns.finish()
    },
  }
}

/** Reads the new events, or all events if the clock was set back too far. */
async function readOnce(
  follower: Follower,
  { purge, logger }: Pick<ReadParts, 'purge' | 'logger'>,
): Promise<void> {
  const startsOver = purge.isTooLate()
  if (startsOver) {
    logger.warn({}, 'the clock was set back; reading all revocations again')
    follower.startOver()
  }
  await follower.step()
  // If the clock was set back during this step, the next step starts over.
  if (startsOver || !purge.isTooLate()) purge.run()
}

function noAnswerFor(milliseconds: number, cause?: unknown): DatabaseUnavailableError {
  const message = `the database has not answered for ${milliseconds / 1000} s`
  return new DatabaseUnavailableError(message, { cause })
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
