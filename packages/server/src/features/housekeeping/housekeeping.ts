import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { purgeEvents, purgeSessions, type PurgeCommand } from './store.ts'

const intervalMilliseconds = 60_000
/** Between two steps, so that others write as well. */
const pauseMilliseconds = 20
/** What is over stays so long: another process’s clock may be behind ours. */
const marginMilliseconds = 24 * 60 * 60 * 1000

/** Deletes what is over, for as long as a process runs. Several processes on one database do each other no harm. */
export interface Housekeeping {
  /** Stops after the step that is under way. */
  close(): Promise<void>
}

/**
 * Deletes all that was over a day ago, in steps that each are a small transaction.
 *
 * @param isClosed asked before each step
 */
export async function purge(database: Database, now: number, isClosed: () => boolean = () => false): Promise<void> {
  const before = now - marginMilliseconds
  const commands: readonly PurgeCommand[] = [purgeSessions, purgeEvents]
  for (const command of commands) {
    while (!isClosed() && (await database.write(command, { before })).purged > 0) await pause()
  }
}

/** Purges now and each minute. A failure is logged, and the next minute tries again. */
export function startHousekeeping(
  database: Database,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Housekeeping {
  let closed = false
  let running: Promise<void> | undefined
  const run = (): void => {
    running ??= purge(database, clock.now(), () => closed)
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
