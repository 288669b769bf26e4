import type {
  CompiledQuery,
  Kysely,
  SelectQueryBuilder,
  Transaction as KyselyTransaction,
} from 'kysely'

/** A database to read from. It names no tables: `inTables` does. */
export type Reader = Kysely<unknown>

/** A transaction. It names no tables: `inTables` does. */
export type Transaction = KyselyTransaction<unknown>

/**
 * The same transaction or reader, with the tables of a feature. It costs nothing.
 *
 * The cast is the one place that believes the `tables.ts` of a feature: no compiler sees what the
 * migrations have made.
 */
export function inTables<Tables>(db: Reader): Kysely<Tables> {
  return db as Kysely<Tables>
}

/**
 * One transaction with a name: on SQLite it runs in the writer thread, which is sent its name and
 * values, on PostgreSQL here. So values and results are plain data, an outcome that a caller
 * branches on is a value, and a refusal that must leave a mark returns (and is committed) before it
 * is thrown.
 */
export interface Command<Values, Result> {
  readonly name: string
  run(transaction: Transaction, values: Values): Promise<Result>
}

export function command<Values, Result>(
  name: string,
  run: (transaction: Transaction, values: Values) => Promise<Result>,
): Command<Values, Result> {
  return { name, run }
}

/** Any command, where only its name matters. */
export type AnyCommand = Command<never, unknown>

/** Which of the two databases it is. */
export function isPostgres(db: Reader): boolean {
  return db.getExecutor().adapter.supportsMultipleConnections !== false
}

/**
 * Whether rows can be locked. PostgreSQL alone can and must: on SQLite one transaction writes at a
 * time.
 */
const hasRowLocks = isPostgres

/** Locks the rows that a query selects, in its order, until the transaction ends. */
export async function lockRows<Tables, Table extends keyof Tables, Row>(
  transaction: Transaction,
  query: SelectQueryBuilder<Tables, Table, Row>,
): Promise<void> {
  if (hasRowLocks(transaction)) await query.forUpdate().execute()
}

/** The query, locking its rows and leaving out those that another transaction has locked. */
export function withoutLocked<Tables, Table extends keyof Tables, Row>(
  transaction: Transaction,
  query: SelectQueryBuilder<Tables, Table, Row>,
): SelectQueryBuilder<Tables, Table, Row> {
  return hasRowLocks(transaction) ? query.forUpdate().skipLocked() : query
}

/**
 * Whether a write failed because a value that must be unique is there already. Of two that write
 * one value at once, PostgreSQL refuses the second only as it is written.
 */
export function isTakenAtTheSameTime(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === '23505' // unique_violation
}

export interface Database {
  /** Whether a read costs microseconds, and not a round trip. */
  readonly hasLocalReads: boolean
  /** For reading outside of transactions. Nothing is streamed from it. */
  readonly reader: Reader
  /** The first row of a query that was compiled before: for what every request reads. */
  find<Row>(query: CompiledQuery<Row>): Promise<Row | undefined>
  /**
   * Runs a command in a transaction of its own. When this resolves, what it wrote is on disk.
   *
   * @param patienceMilliseconds how long it may wait for others to share a commit with
   * @throws {DatabaseUnavailableError} when the database cannot be reached or cannot write now
   */
  write<Values, Result>(
    command: Command<Values, Result>,
    values: Values,
    patienceMilliseconds?: number,
  ): Promise<Result>
  /**
   * The same database for the feed of revocations, which must not wait behind requests: on
   * PostgreSQL requests stand in a line for connections, and one connection is left for the feed.
   */
  readonly urgent: Pick<Database, 'reader' | 'write'>
  /** Commands that were not yet answered. */
  readonly writeQueueLength: number
  close(): Promise<void>
}

/** The database is down, locked by somebody else or full: not a bug, and a later try may work. */
export class DatabaseUnavailableError extends Error {
  override readonly name: string = 'DatabaseUnavailableError'
}

/**
 * More requests wait for the database than it can serve in time. Anybody can cause many of these.
 */
export class DatabaseBusyError extends DatabaseUnavailableError {
  override readonly name = 'DatabaseBusyError'
}
