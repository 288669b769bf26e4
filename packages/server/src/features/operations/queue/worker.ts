// Delivers the rows of a queue, in the process that holds a lease. Two tables are queues: the mails
// (features/mail/outbox) and the durable events for the app (features/operations/app-events). They
// have the same columns for the next try, the number of tries and the last failure, and `rows.ts`
// has the statements for both.

import type { Clock, Logger } from 'keystile/internal'
import { minuteMilliseconds, secondMilliseconds } from '../../../feature/limit-rate.ts'
import type { Database } from '../../../storage/database.ts'
import { startJob } from '../lease/job.ts'
import { LeaseLostError, type Lease } from '../lease/lease.ts'
import { hasDueRow, type QueueCommands, type QueuedRow } from './rows.ts'

/** How often the worker looks for rows to deliver. */
const intervalMilliseconds = secondMilliseconds
/** The maximum number of rows that are being delivered at the same time. */
const maxDeliveries = 10
/** How long one try may take. A try that takes longer has failed. */
const tryMilliseconds = minuteMilliseconds
/**
 * How long a claimed row belongs to the process that claimed it. This is longer than a try, so
 * that two processes never deliver the same row at once.
 */
const claimMilliseconds = tryMilliseconds + 30 * secondMilliseconds
/** How long `close()` waits for rows that are being delivered. Then it interrupts them. */
const closeMilliseconds = 5 * secondMilliseconds

const cannotBeRead = 'waiting mails or events cannot be read or written; Keystile tries again'

export interface Failure {
  /** A code for logs and lists. It never contains a text from another program. */
  readonly code: string
  /** True if another try would be useless or too late. The row then becomes a dead letter. */
  readonly isFinal: boolean
}

export interface Queue<Row extends QueuedRow> {
  readonly table: string
  readonly commands: QueueCommands<Row>
  /** Delivers a row. Rejects if the try failed. */
  deliver(row: Row, signal: AbortSignal): Promise<void>
  failureOf(error: unknown, row: Row): Failure
  /** Counts and logs that a row was delivered. */
  reportDelivery?(row: Row): void
  /** Counts and logs that a try failed. */
  reportFailure(row: Row, failed: { readonly error: unknown; readonly failure: Failure }): void
}

export interface WorkerParts {
  readonly database: Pick<Database, 'reader'>
  readonly lease: Lease
  readonly clock: Clock
  readonly logger: Logger
}

export interface Worker {
  /** Waits up to 5 s for the rows that are being delivered. Then interrupts those that are left. */
  close(): Promise<void>
}

/** Delivers the rows that are due, while this process holds the lease of background jobs. */
export function startWorker<Row extends QueuedRow>(queue: Queue<Row>, parts: WorkerParts): Worker {
  const { table, commands } = queue
  const { database, lease, clock, logger } = parts
  const closing = new AbortController()
  const deliveries = new Map<string, Promise<void>>()
  let isFailing = false

  function reportFault(error: unknown): void {
    if (error instanceof LeaseLostError) return
    if (!isFailing) logger.warn({ err: error, table }, cannotBeRead)
    isFailing = true
  }

  async function step(): Promise<void> {
    const limit = maxDeliveries - deliveries.size
    if (limit === 0) return

    const now = clock.now()
    if (await hasDueRow(database.reader, table, now)) {
      const until = now + claimMilliseconds
      // No transaction is open while the rows are delivered.
      for (const row of await lease.write(commands.claim, { now, until, limit }))
        // An operator may have made a row due again while this process delivers it.
        if (!deliveries.has(row.id)) deliveries.set(row.id, deliver(row))
    }
    isFailing = false
  }

  // A slow delivery does not stop the others. After a success, the next rows are claimed at once.
  // After a failure the receiver may be down, so the next rows are claimed at the next tick.
  async function deliver(row: Row): Promise<void> {
    const outcome = await deliverRow(row, queue, parts, closing.signal).catch(reportFault)
    deliveries.delete(row.id)
    if (outcome === 'delivered' && deliveries.size <= maxDeliveries / 2) job.run()
  }

  const job = startJob({ lease, intervalMilliseconds, step, report: reportFault })
  lease.onTaken(job.run)

  return {
    async close() {
      await job.close()
      const interruption = setTimeout(() => closing.abort(), closeMilliseconds)
      await Promise.all(deliveries.values())
      clearTimeout(interruption)
    },
  }
}

/** Delivers one row and stores the outcome. */
async function deliverRow<Row extends QueuedRow>(
  row: Row,
  queue: Queue<Row>,
  { lease, clock }: WorkerParts,
  closing: AbortSignal,
): Promise<'delivered' | 'failed'> {
  // The process may have been paused since it claimed the row.
  if (!lease.isHeld)
    throw new LeaseLostError('another process holds the lease of background jobs now')

  const signal = AbortSignal.any([closing, AbortSignal.timeout(tryMilliseconds)])
  try {
    await Promise.race([queue.deliver(row, signal), rejectionOf(signal)])
  } catch (error) {
    const failure = queue.failureOf(error, row)
    const now = clock.now()
    await lease.write(queue.commands.fail, {
      id: row.id,
      failure: failure.code,
      dead_at: failure.isFinal ? now : null,
      next_try_at: now + backOffMilliseconds(row.tries),
    })
    queue.reportFailure(row, { error, failure })
    return 'failed'
  }

  // After a crash before this commit, the row is delivered again: at least once.
  await lease.write(queue.commands.erase, { id: row.id })
  queue.reportDelivery?.(row)
  return 'delivered'
}

/**
 * Returns a promise that rejects when a signal aborts. If the signal was aborted before the call,
 * the promise never rejects.
 */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

const firstBackOffMilliseconds = 10 * secondMilliseconds
const maxBackOffMilliseconds = 60 * minuteMilliseconds

/** Returns the time until the next try: 10 s after the first try, doubled each time, up to 1 h. */
function backOffMilliseconds(tries: number): number {
  return Math.min(firstBackOffMilliseconds * 2 ** (tries - 1), maxBackOffMilliseconds)
}
