// The interface through which features use the database. Only this folder opens SQLite and
// PostgreSQL databases: `source.ts` reads the setting, `open.ts` chooses, and `sqlite.ts` and
// `postgres.ts` tell how each of them works. `migrations.ts` tells how the tables are created and
// upgraded.
//
// This folder knows no table of a feature. A feature describes its tables in `tables.ts`, and reads
// and writes them in `store.ts`, through `inTables`. Where the two databases need different SQL,
// `portable-sql.ts` has it. Only the feature itself and server/commands.ts import these files. If
// another feature must change such a table in its own transaction, the feature that owns the table
// exports functions that take a transaction, in `in-transaction.ts`.
import type { CompiledQuery, Kysely, Transaction as KyselyTransaction } from 'kysely'

/**
 * A database to read from. This type knows no tables; `inTables()` adds the tables of a feature.
 */
export type Reader = Kysely<unknown>

/** A transaction. This type knows no tables; `inTables()` adds the tables of a feature. */
export type Transaction = KyselyTransaction<unknown>

/**
 * Returns the given transaction or reader with the types of a feature's tables. It is only a cast,
 * so it costs nothing at run time.
 *
 * Does NOT check the types: the compiler cannot see which tables the migrations have created, so
 * the cast trusts the `tables.ts` of the feature.
 */
export function inTables<Tables>(db: Reader): Kysely<Tables> {
  return db as Kysely<Tables>
}

/**
 * A transaction with a name. On PostgreSQL, the command runs in this thread. On SQLite, it runs in
 * the writer thread, which receives only the name and the values. Therefore:
 *
 * - Values and results are plain data, which can be sent between threads.
 * - An outcome that the caller must handle is a result and not an error.
 * - If the command refuses and must record this in the database, it returns the refusal as its
 *   result, and the caller throws it. If the command itself threw an error, the record would be
 *   rolled back.
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

/** Any command, for code that only looks commands up by their names. */
export type AnyCommand = Command<never, unknown>

export interface Database {
  /** Reads outside of transactions. Does NOT support streams. */
  readonly reader: Reader
  /** Returns the first row of a compiled query. Use it for reads that every request needs. */
  find<Row>(query: CompiledQuery<Row>): Promise<Row | undefined>
  /**
   * Runs a command in its own transaction. When the promise resolves, all its writes are on disk.
   *
   * @param patienceMilliseconds how long the command may wait, so that later commands can share its
   *   commit
   * @throws {DatabaseUnavailableError} when the database cannot be reached or cannot write now.
   *   After an `UnknownOutcomeError`, it is unknown whether anything was written. After any other
   *   error, nothing was written.
   */
  write<Values, Result>(
    command: Command<Values, Result>,
    values: Values,
    patienceMilliseconds?: number,
  ): Promise<Result>
  /**
   * Sets a check that runs before each command. If the check throws an error or returns a promise
   * that rejects, `write` fails with this error.
   */
  checkWrites(check: WriteCheck): void
  /**
   * The same database for the feed of revocations, which must not wait behind requests. On
   * PostgreSQL, requests queue for connections, and one connection is reserved for the feed.
   */
  readonly urgent: Pick<Database, 'reader' | 'write'>
  /**
   * After each commit of this process, calls a listener with each notice that the commands
   * announced. The listener must not throw.
   */
  onCommitted(listener: (notice: unknown) => void): void
  /**
   * Calls a listener after this or another process has sent a signal. Do not rely on signals: they
   * exist only if Keystile opened PostgreSQL by a URL, and a signal may be lost. With the app's own
   * pool there are no signals, because listening would occupy one connection of the pool.
   */
  onSignal(listener: () => void): void
  /** The number of commands that have no answer yet. */
  readonly writeQueueLength: number
  /** Waits for running commands and closes the connections. */
  close(): Promise<void>
}

/**
 * Checks whether this process may write.
 *
 * @param isUrgent true for a command of the feed of revocations, which cannot wait
 */
export type WriteCheck = (isUrgent: boolean) => Promise<void> | undefined

/**
 * Thrown when the database is down, locked by another process, or full. This is not a bug, and a
 * retry may succeed.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name: string = 'DatabaseUnavailableError'
  /**
   * Whether many requests can fail for this reason at once. Such errors must not fill the log.
   */
  readonly isFrequent: boolean = false
}

/**
 * Thrown when more requests wait for the database than it can serve in time. Any sender can cause
 * many of these errors, so they must not fill the log.
 */
export class DatabaseBusyError extends DatabaseUnavailableError {
  override readonly name = 'DatabaseBusyError'
  override readonly isFrequent = true
}

/**
 * Thrown when it is unknown whether a transaction was committed: the connection failed after COMMIT
 * was sent, or the commit may get lost in a failover. Code that catches this error must neither run
 * the transaction again nor report it as done. The sender of the request gets 503 and may repeat
 * the request. The repeated request must give a correct result, whether or not the first
 * transaction was committed.
 */
export class UnknownOutcomeError extends DatabaseUnavailableError {
  override readonly name = 'UnknownOutcomeError'
}
