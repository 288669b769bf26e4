import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { findNewestInstant } from '../audit/audit.ts'
import type { CleanUpStep } from '../../feature/clean-up.ts'

const intervalMilliseconds = 60_000
/** Between two steps, so that others write as well. */
const pauseMilliseconds = 20

interface PurgeOptions<Options> {
  readonly steps: readonly CleanUpStep<Options>[]
  /** What the steps ask for. */
  readonly options: Options
  readonly now: number
  /** Asked before each transaction. */
  readonly isClosed: () => boolean
}

/**
 * Deletes what is over, for as long as a process runs. Several processes on one database do each
 * other no harm.
 */
export interface Housekeeping {
  /** Stops after the step that is under way. */
  close(): Promise<void>
}

/**
 * Runs the steps one after another, each in small transactions. A step uses the time of the newest
 * audit entry where that is earlier than the clock, unless it says otherwise: so a process whose
 * clock is ahead deletes nothing too early.
 */
export async function purge<Options>(
  database: Database,
  { steps, options, now, isClosed }: PurgeOptions<Options>,
): Promise<void> {
  const latest = await findNewestInstant(database)
  for (const { command, time, before } of steps) {
    if (time === 'recorded' && latest === undefined) continue
    const values = {
      before: before(time === 'clock' ? now : Math.min(now, latest ?? now), options),
    }
    while (!isClosed() && (await database.write(command, values)).purged > 0) await pause()
  }
}

/** Purges now and each minute. A failure is logged, and the next minute tries again. */
export function startHousekeeping<
  Options extends { readonly clock: Clock; readonly logger: Logger },
>(
  database: Database,
  steps: readonly CleanUpStep<NoInfer<Options>>[],
  options: Options,
): Housekeeping {
  const { clock, logger } = options
  let closed = false
  let running: Promise<void> | undefined
  const run = (): void => {
    running ??= purge(database, { steps, options, now: clock.now(), isClosed: () => closed })
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
