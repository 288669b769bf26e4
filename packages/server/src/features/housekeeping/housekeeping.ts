import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { findLatest } from '../../storage/facts.ts'
import { purgeAudit } from '../audit/store.ts'
import { clockMarginMilliseconds } from '../events/store.ts'
import { purgeRates } from '../limits/store.ts'
import { purgeEvents, purgeSessions, type PurgeCommand } from './store.ts'

const intervalMilliseconds = 60_000
/** Between two steps, so that others write as well. */
const pauseMilliseconds = 20
/** A limit of which nothing is used up, by a clock that may be ahead of another's. */
const rateMarginMilliseconds = 60_000

interface PurgeOptions {
  readonly now: number
  /** How long the audit record keeps a line. */
  readonly auditSeconds: number
  /** Asked before each step. */
  readonly isClosed: () => boolean
}

/** Deletes what is over, for as long as a process runs. Several processes on one database do each other no harm. */
export interface Housekeeping {
  /** Stops after the step that is under way. */
  close(): Promise<void>
}

/**
 * Deletes all that was over a day ago, limits of which nothing is used up, and of the audit record what is older than it is kept, in steps that each are a small
 * transaction. It is no later than the last thing that was written down: a process whose clock is wrong deletes nothing by it, but
 * for limits, which it counts by the same clock.
 */
export async function purge(database: Database, { now, auditSeconds, isClosed }: PurgeOptions): Promise<void> {
  const steps: (readonly [PurgeCommand, number])[] = [[purgeRates, now - rateMarginMilliseconds]]
  const latest = await findLatest(database.reader)
  if (latest !== undefined) {
    const present = Math.min(now, latest)
    const before = present - clockMarginMilliseconds
    steps.push([purgeSessions, before], [purgeEvents, before], [purgeAudit, present - auditSeconds * 1000])
  }
  for (const [command, limit] of steps) {
    while (!isClosed() && (await database.write(command, { before: limit })).purged > 0) await pause()
  }
}

/** Purges now and each minute. A failure is logged, and the next minute tries again. */
export function startHousekeeping(
  database: Database,
  { clock, logger, auditSeconds }: { readonly clock: Clock; readonly logger: Logger; readonly auditSeconds: number },
): Housekeeping {
  let closed = false
  let running: Promise<void> | undefined
  const run = (): void => {
    running ??= purge(database, { now: clock.now(), auditSeconds, isClosed: () => closed })
      .catch((error: unknown) => logger.warn({ err: error }, 'what is over could not be deleted'))
      .finally(() => (running = undefined))
  }
  const timer = setInterval(run, intervalMilliseconds)
  timer.unref()
  run()
  return {
    async close() {
      closed = true
      clearInterval(timer)
      await running
    },
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMilliseconds).unref())
}
