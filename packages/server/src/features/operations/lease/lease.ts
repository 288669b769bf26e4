// A lease of background jobs. Of all processes on a database, the one that holds the lease runs the
// jobs: housekeeping, the rotation of signing keys, sending mails, and finding the account when a
// user has asked for a link or a code (server/wire/jobs.ts). The lease lasts 10 s by the clock of
// the database.
//
// To write, a job calls `lease.write(command, values)`, which runs the command `underLease`
// (`store.ts`). It locks the row of the lease, compares the fence, and then runs the command of the
// job in the same transaction. So a process that has lost the lease writes nothing
// (decisions/0019-mails-wait-in-the-database.md). server/commands.ts creates `underLease` with the
// list of all commands.

import { randomId, type Logger } from 'keystile/internal'
import type { Command, Database } from '../../../storage/database.ts'
import {
  holdLease,
  leaseMilliseconds,
  releaseLease,
  type HeldLease,
  type LeasedCommand,
} from './store.ts'

/** How often the holder renews the lease. Two renewals may fail before the lease expires. */
const renewalMilliseconds = 3_000
/** How often the other processes try to take the lease. */
const retryMilliseconds = 1_000

/** The lease of background jobs, as one process sees it. */
export interface Lease {
  /**
   * Whether this process holds the lease, as far as it knows. Use it to decide whether to start or
   * end a job. To write, use `write()`, which checks the lease again: the process may have been
   * paused and have lost the lease since it read `isHeld`.
   */
  readonly isHeld: boolean
  /**
   * Runs a command in a transaction that also proves that this process still holds the lease.
   *
   * @throws {LeaseLostError} if another process has the lease; the command did not run
   */
  write<Values, Result>(command: Command<Values, Result>, values: Values): Promise<Result>
  /** Registers a listener, which is called each time that this process takes the lease. */
  onTaken(listener: () => void): void
  /** Releases the lease, so that another process takes it at once. End the jobs first. */
  close(): Promise<void>
}

/** Thrown when a job wants to write and another process has taken the lease. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
}

export interface LeaseParts {
  /** The name of the lease. Default: `jobs`, the lease for the jobs that every process can run. */
  readonly name?: string
  /**
   * The result of `createLeasedCommand(commands)`, where `commands` includes the commands of all
   * jobs.
   */
  readonly underLease: LeasedCommand
  readonly logger: Logger
}

interface Held extends HeldLease {
  /**
   * The time at which this process must stop using the lease, by `performance.now()`. In the
   * database, the lease expires later.
   */
  readonly until: number
}

/**
 * Starts to compete with other processes for a lease of background jobs. Takes the lease as soon as
 * it is free, and renews it until `close()`.
 */
export function openLease(
  database: Pick<Database, 'write' | 'urgent'>,
  { name = 'jobs', underLease, logger }: LeaseParts,
): Lease {
  const holder = randomId()
  const listeners: (() => void)[] = []
  let held: Held | undefined

  /** Takes or renews the lease. Renewals must not wait behind requests, so they are urgent. */
  async function hold(): Promise<boolean> {
    const askedAt = performance.now()
    const { fence } = await database.urgent.write(holdLease, { name, holder })
    const before = held?.fence
    held = fence === undefined ? undefined : { name, fence, until: askedAt + leaseMilliseconds }
    if (fence !== undefined && fence !== before) for (const listener of listeners) listener()
    return held !== undefined
  }

  const stop = repeat(hold, logger)

  return {
    get isHeld() {
      return held !== undefined && performance.now() < held.until
    },
    async write<Values, Result>(command: Command<Values, Result>, values: Values) {
      const lost = (): LeaseLostError =>
        new LeaseLostError('another process runs the background jobs now')
      if (!held) throw lost()

      const { fence } = held
      const lease = { name, fence }
      const outcome = await database.write(underLease, { lease, command: command.name, values })
      if (outcome.isHeld) return outcome.result as Result

      if (held?.fence === fence) held = undefined
      throw lost()
    },
    onTaken: (listener) => void listeners.push(listener),
    async close() {
      listeners.length = 0
      await stop()
      if (held)
        await database.write(releaseLease, { name, fence: held.fence }).catch((error: unknown) => {
          logger.debug({ err: error }, 'the lease of background jobs could not be released')
        })
      held = undefined
    },
  }
}

/**
 * Calls `hold` again and again. If several calls in a row fail, logs only the first failure.
 *
 * @returns a function that ends the calls. Its promise resolves when no call is in progress
 */
function repeat(hold: () => Promise<boolean>, logger: Logger): () => Promise<void> {
  let isStopped = false
  let isFailing = false
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve().then(step)

  async function step(): Promise<void> {
    let isHeld = false
    try {
      isHeld = await hold()
      isFailing = false
    } catch (error) {
      if (!isFailing)
        logger.warn({ err: error }, 'background jobs cannot run; Keystile tries again')
      isFailing = true
    }
    if (isStopped) return
    timer = setTimeout(startStep, isHeld ? renewalMilliseconds : retryMilliseconds)
    timer.unref()
  }

  function startStep(): void {
    running = step()
  }

  return async () => {
    isStopped = true
    clearTimeout(timer)
    await running
  }
}
