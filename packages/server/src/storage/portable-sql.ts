// What commands do on both databases, although SQLite and PostgreSQL need different SQL for it.
import { sql, type RawBuilder, type SelectQueryBuilder } from 'kysely'
import type { Reader, Transaction } from './database.ts'

/** Whether the database is PostgreSQL. Otherwise it is SQLite. */
export function isPostgres(db: Pick<Reader, 'getExecutor'>): boolean {
  return db.getExecutor().adapter.supportsMultipleConnections !== false
}

/**
 * Whether a transaction must lock rows. SQLite needs no row locks, because it runs only one writing
 * transaction at a time.
 */
const hasRowLocks = isPostgres

/**
 * Locks the rows that a query selects until the transaction ends. On SQLite, does nothing. The
 * query must have an `order by`: two transactions that lock the same rows in different orders would
 * deadlock.
 */
export async function lockRows<Tables, Table extends keyof Tables, Row>(
  transaction: Transaction,
  query: SelectQueryBuilder<Tables, Table, Row>,
): Promise<void> {
  if (hasRowLocks(transaction)) await query.forUpdate().execute()
}

/**
 * Locks a name until the transaction ends, for what has no row. Two names may share a lock. On
 * SQLite, does nothing.
 */
export async function lockName(transaction: Transaction, name: string): Promise<void> {
  if (hasRowLocks(transaction))
    await sql`select pg_advisory_xact_lock(${nameLocks}, hashtext(${name}))`.execute(transaction)
}

/** The first number of these locks, so that they differ from advisory locks of other programs. */
const nameLocks = 1_263_753_300

/**
 * Returns a query that locks the rows that it selects. It skips the rows that other transactions
 * have already locked. On SQLite, returns the given query unchanged.
 */
export function withoutLocked<Tables, Table extends keyof Tables, Row>(
  transaction: Transaction,
  query: SelectQueryBuilder<Tables, Table, Row>,
): SelectQueryBuilder<Tables, Table, Row> {
  return hasRowLocks(transaction) ? query.forUpdate().skipLocked() : query
}

/**
 * Returns an SQL expression for the time of the database's clock, in milliseconds since 1970.
 * Several processes can compare this time, even if their own clocks differ.
 */
export function databaseTime(db: Pick<Reader, 'getExecutor'>): RawBuilder<number> {
  return isPostgres(db)
    ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
    : sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
}

/** The channel of the signals between processes, on PostgreSQL. */
export const signalChannel = 'keystile'

/**
 * Returns an expression that sends a signal to all processes when the transaction has committed:
 * see `Database.onSignal`. On SQLite, it does nothing.
 *
 * If several transactions send a signal, PostgreSQL commits only one of them at a time. So only a
 * transaction that waits for others anyway may send a signal.
 */
export function sendSignal(db: Pick<Reader, 'getExecutor'>): RawBuilder<unknown> {
  return isPostgres(db) ? sql`pg_notify(${signalChannel}, '')` : sql`null`
}

/**
 * Whether a write failed because another transaction wrote the same unique value at the same time.
 * On PostgreSQL, a check before the write cannot prevent this: two transactions can both pass the
 * check, and then the second write fails.
 */
export function isTakenAtTheSameTime(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === '23505' // unique_violation
}
