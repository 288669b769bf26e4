import type { Clock, Logger } from 'keystile/internal'
import type { CleanUpStep } from '../../../feature/clean-up.ts'
import type { Meter } from '../../../feature/metric.ts'
import type { Database } from '../../../storage/database.ts'
import { findNewestInstant } from '../audit/audit.ts'
import { startJob } from '../lease/job.ts'
import type { Lease } from '../lease/lease.ts'

/**
 * The time between two runs. Expired rows do no harm, so it is enough to delete them once a minute.
 */
const intervalMilliseconds = 60_000
/** Pause between two transactions, so that other writers can write. */
const pauseMilliseconds = 20

/** Deletes expired rows while a process runs and holds the lease of background jobs. */
export interface Housekeeping {
  /** Stops after the transaction that is in progress. */
  close(): Promise<void>
}

/**
 * Deletes expired rows every minute, and as soon as this process takes the lease. Logs a failure;
 * the next run tries again.
 */
export function startHousekeeping<
  Options extends { readonly clock: Clock; readonly logger: Logger; readonly meter: Meter },
>(
  { reader }: Pick<Database, 'reader'>,
  lease: Lease,
  steps: readonly CleanUpStep<NoInfer<Options>>[],
  options: Options,
): Housekeeping {
  const { clock, logger, meter } = options
  const job = startJob({
    lease,
    intervalMilliseconds,
    step(closing) {
      const database = { reader, write: lease.write }
      const isClosed = (): boolean => closing.aborted || !lease.isHeld
      return purge(database, { steps, options, now: clock.now(), meter, isClosed })
    },
    report: (error) => logger.warn({ err: error }, 'expired rows could not be deleted'),
  })
  lease.onTaken(job.run)

  return {
    async close() {
      // The pauses of a run do not keep the process alive. Without this timer, it could end before
      // the database is closed.
      const alive = setInterval(() => {}, intervalMilliseconds)
      await job.close()
      clearInterval(alive)
    },
  }
}

interface PurgeOptions<Options> {
  readonly steps: readonly CleanUpStep<Options>[]
  readonly options: Options
  readonly now: number
  readonly meter: Meter
  /** Returns true to stop the run. It is called before each transaction. */
  readonly isClosed: () => boolean
}

/**
 * Runs the clean-up steps one after another, each in small transactions. A step with `time:
 * 'clock'` uses the clock of this process. A step with `time: 'recorded'` uses the clock or the
 * time of the newest audit entry, whichever is earlier. So a process whose clock is ahead deletes
 * nothing too early. If there is no audit entry, a step with `time: 'recorded'` does not run.
 */
export async function purge<Options>(
  database: Pick<Database, 'reader' | 'write'>,
  { steps, options, now, meter, isClosed }: PurgeOptions<Options>,
): Promise<void> {
  const latest = await findNewestInstant(database)
  const times = {
    clock: now,
    recorded: latest === undefined ? undefined : Math.min(now, latest),
  }
  for (const { command, time, before, counter } of steps) {
    const at = times[time]
    if (at === undefined) continue

    const values = { before: before(at, options) }
    while (!isClosed()) {
      const { purged } = await database.write(command, values)
      if (purged === 0) break
      if (counter) meter.add(counter, {}, purged)
      await pause()
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMilliseconds).unref())
}
