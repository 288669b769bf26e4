// Migrations on PostgreSQL: one process at a time, without blocking the servers that run.
import { setTimeout as delay } from 'node:timers/promises'
import { CompiledQuery, Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import { DatabaseUnavailableError, type Reader, type Transaction } from './database.ts'
import { schema, type SchemaMark } from './migrate.ts'
import { blockedBy, describeBlockers, findBlockers } from './migration-blockers.ts'
import { findRaisedMark, runMissing, setMark } from './migrator.ts'
import { reasonOf } from './postgres-advice.ts'
import { requireUpgradable } from './schema-mark.ts'
import { readMigrations } from './standing.ts'

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
   * How long the migrations wait after they have raised the schema mark (`SchemaMark`), before they
   * make changes that older releases cannot use. In this time, all servers of older releases notice
   * the mark and stop writing: before a write, a process reads the mark again if its last read is
   * 8 s old, and a write may wait 2 s for a connection.
   */
  readonly notice: number
}

export const defaultTimes: MigrationTimes = {
  lock: 2_000,
  pause: 2_000,
  tries: 10,
  notice: 10_000,
}

/**
 * The number of the advisory lock. Kysely's migrator, which the first releases used, takes the lock
 * with the same number. So these releases wait for this lock too.
 */
export const lockNumber = '3853314791062309107'

export interface MigrateOptions {
  /** If true, creates the tables in an empty database, but upgrades no older tables. */
  readonly onlyIfEmpty?: boolean
  /** Called with sentences that tell an operator what the migration is waiting for. */
  readonly report?: (sentence: string) => void
  readonly times?: MigrationTimes
}

/**
 * Runs the missing migrations in one transaction, under a lock. If one fails, none of them takes
 * effect. If another process runs migrations, waits for it.
 *
 * @param pool must have no timeout for queries
 * @returns the names of the migrations that it has run
 * @throws {ConfigurationError} if this release cannot upgrade the database
 * @throws {DatabaseUnavailableError} if another transaction has locked a table for too long
 * @throws {AggregateError} if a migration has failed and the schema mark could not be lowered again
 */
export async function migratePostgres(
  pool: PostgresPool,
  { onlyIfEmpty = false, report = () => {}, times = defaultTimes }: MigrateOptions = {},
): Promise<readonly string[]> {
  const dialect = new PostgresDialect({ pool })
  const db = new Kysely<unknown>({ dialect }).withSchema(schema)
  const before = await readMigrations(db)
  requireUpgradable(before)
  if (before.missing.length === 0 || (onlyIfEmpty && !before.isEmpty)) return []

  // If the database has no mark yet, no running server reads the mark.
  const mustRaise = before.mark && findRaisedMark(before.missing) !== undefined
  const raised = mustRaise ? await underLock(db, { report, times }, raiseMark) : undefined
  if (raised) {
    const seconds = times.notice / 1000
    report(`waits ${seconds} s, so that servers without the migration ${raised.to} stop writing`)
    await delay(times.notice)
  }

  try {
    return await tryAgain({ db, report, times }, async (transaction) => {
      const { isEmpty, mark } = await readMigrations(transaction)
      if (onlyIfEmpty && !isEmpty) return []
      if (raised && mark && mark.oldest < raised.to) throw wasLowered()
      return runMissing(transaction)
    })
  } catch (error) {
    if (!raised) throw error

    const lower = (transaction: Transaction): Promise<void> => lowerMark(transaction, raised)
    await underLock(db, { report, times }, lower).catch((cause: unknown) => {
      throw new AggregateError([error, isStillRaised(raised, cause)])
    })
    throw error
  }
}

interface RaisedMark {
  readonly to: number
  readonly from: SchemaMark
}

/**
 * Raises the schema mark for the missing migrations. Never lowers it: until this process had the
 * lock, another process may have raised the mark or run the migrations.
 *
 * @throws {ConfigurationError} if a newer release has raised the mark so that it excludes this one
 */
async function raiseMark(transaction: Transaction): Promise<RaisedMark | undefined> {
  const facts = await readMigrations(transaction)
  requireUpgradable(facts)
  const { mark: from, missing } = facts
  const to = findRaisedMark(missing)
  if (!from || to === undefined) return undefined

  if (from.oldest < to) await setMark(transaction, to)
  return { to, from }
}

/**
 * Restores the schema mark after migrations have failed, so that older releases work again. Does
 * nothing if another process has changed the mark or run the migrations meanwhile.
 */
async function lowerMark(transaction: Transaction, { to, from }: RaisedMark): Promise<void> {
  const { mark, missing } = await readMigrations(transaction)
  if (mark?.oldest === to && findRaisedMark(missing) !== undefined)
    await setMark(transaction, from.oldest, from.release)
}

function wasLowered(): DatabaseUnavailableError {
  return new DatabaseUnavailableError(
    'another process has lowered the schema mark, because its migrations failed, so older ' +
      'servers write again. Fix: run "keystile migrate" again',
  )
}

/** `runMigrations` appends this error to the one of the migration. */
function isStillRaised({ to, from }: RaisedMark, cause: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError(
    `and the schema mark could not be lowered (${reasonOf(cause)}), so servers without the ` +
      `migration ${to} still answer 503. Fix: run "keystile migrate" again; if it fails again, ` +
      `set oldest = ${from.oldest} in the table ${schema}.schema_mark`,
  )
}

interface Waiting {
  readonly report: (sentence: string) => void
  readonly times: MigrationTimes
}

/** Runs `work` under the lock. Tries again if another transaction has locked a table. */
async function tryAgain<Result>(
  { db, report, times }: Waiting & { readonly db: Reader },
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  for (let left = times.tries - 1; ; left--) {
    try {
      return await underLock(db, { report, times }, work)
    } catch (error) {
      if (!isLockFailure(error)) throw error

      const blockers = await findBlockers(db, times.lock)
      if (left === 0) throw blockedBy(blockers)
      report(`${describeBlockers(blockers)}; tries again (${left} tries left)`)
      await delay(times.pause)
    }
  }
}

/**
 * Runs `work` in a transaction with the lock of migrations. The lock belongs to the transaction and
 * not to the connection, because PgBouncer may use another connection for the next transaction.
 * The database ends the transaction if this process is frozen for a minute.
 */
async function underLock<Result>(
  db: Reader,
  { report, times }: Waiting,
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

/** Whether PostgreSQL ended a statement because of a lock: a timeout or a deadlock. */
function isLockFailure(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } }
  return cause?.code === '55P03' || cause?.code === '40P01' // lock_not_available, deadlock_detected
}
