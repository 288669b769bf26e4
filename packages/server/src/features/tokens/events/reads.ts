// The reads of the events by one process, and what the process may do if it could not read for a
// while. `read-schedule.ts` says when it reads.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'keystile/internal'
import { DatabaseUnavailableError, type WriteCheck } from '../../../storage/database.ts'
import { NewerSchemaError } from '../../../storage/require-schema.ts'
import { staleAfterMilliseconds, type Follower } from './follower.ts'
import type { MemoryPurge } from './memory-purge.ts'
import { createHasten, createTurns, runRegularly } from './read-schedule.ts'

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
  readonly purge: MemoryPurge
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
  const startsOver = purge.hasRemovedTooMuch()
  if (startsOver) {
    logger.warn({}, 'the clock was set back; reading all revocations again')
    follower.startOver()
  }
  await follower.step()
  // If the clock was set back during this step, the next step starts over.
  if (startsOver || !purge.hasRemovedTooMuch()) purge.run()
}

function noAnswerFor(milliseconds: number, cause?: unknown): DatabaseUnavailableError {
  const message = `the database has not answered for ${milliseconds / 1000} s`
  return new DatabaseUnavailableError(message, { cause })
}
