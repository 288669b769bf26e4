// Migrations on PostgreSQL run under a lock, one process at a time. They must also wait for the
// locks of other transactions on the tables, without blocking the servers that run.
import { setTimeout as delay } from 'node:timers/promises'
import { CompiledQuery } from 'kysely'
import type { Reader, Transaction } from './database.ts'
import { blockedBy, describeBlockers, findBlockers } from './migration-blockers.ts'

/**
 * The number of the advisory lock. Kysely's migrator, which the first releases used, takes the lock
 * with the same number. So these releases wait for this lock too.
 */
export const lockNumber = '3853314791062309107'

/** How long migrations wait. All times are in milliseconds. */
export interface MigrationTimes {
  /**
   * How long a statement waits for a lock. While it waits, all later statements on the same table
   * wait behind it. So this time is shorter than the 4 s after which a statement of a server fails.
   */
  readonly lock: number
  /** The time between two tries. Statements that waited behind a migration can run meanwhile. */
  readonly pause: number
  /** How often to try if a table is locked. */
  readonly tries: number
  /**
   * How long the migrations wait after they have raised the schema mark (`raised-mark.ts`), before
   * they make changes that older releases cannot use. In this time, all servers of older releases
   * notice the mark and stop writing: before a write, a process reads the mark again if its last
   * read is 8 s old, and a write may wait 2 s for a connection.
   */
  readonly notice: number
}

export const defaultTimes: MigrationTimes = {
  lock: 2_000,
  pause: 2_000,
  tries: 10,
  notice: 10_000,
}

/** A database that is being migrated. */
export interface Migrating {
  readonly db: Reader
  readonly times: MigrationTimes
  /** Called with sentences that tell an operator what the migration is waiting for. */
  readonly report: (sentence: string) => void
}

/**
 * Runs `work` in a transaction with the lock of migrations. The lock belongs to the transaction and
 * not to the connection, because PgBouncer may use another connection for the next transaction.
 * The database ends the transaction if this process is frozen for a minute.
 */
export async function underLock<Result>(
  { db, times, report }: Migrating,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (transaction) => {
      const run = (text: string): Promise<{ readonly rows: readonly unknown[] }> =>
        transaction.executeQuery(CompiledQuery.raw(text))
      await run(
        'set local statement_timeout = 0; set local lock_timeout = 0; ' +
          'set local idle_in_transaction_session_timeout = 60000',
      )
      const free = await run(`select 1 where pg_try_advisory_xact_lock(${lockNumber})`)
      if (free.rows.length === 0) {
        report('another process runs migrations; waits for it')
        await run(`select pg_advisory_xact_lock(${lockNumber})`)
      }
      await run(`set local lock_timeout = ${times.lock}`)
      return work(transaction)
    })
}

/**
 * Runs `work` like `underLock`, but tries again if another transaction has locked a table.
 *
 * @throws {DatabaseUnavailableError} if the table is still locked at the last try
 */
export async function underLockWithRetries<Result>(
  migrating: Migrating,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const { db, times, report } = migrating
  for (let left = times.tries - 1; ; left--) {
    try {
      return await underLock(migrating, work)
    } catch (error) {
      if (!isLockFailure(error)) throw error

      const blockers = await findBlockers(db, times.lock)
      if (left === 0) throw blockedBy(blockers)
      report(`${describeBlockers(blockers)}; tries again (${left} tries left)`)
      await delay(times.pause)
    }
  }
}

/** Whether PostgreSQL ended a statement because of a lock: a timeout or a deadlock. */
function isLockFailure(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } }
  return cause?.code === '55P03' || cause?.code === '40P01' // lock_not_available, deadlock_detected
}
