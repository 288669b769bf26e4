import { CompiledQuery, PostgresDialect, PostgresDriver } from 'kysely'
import type { DatabaseConnection, Driver, PostgresDialectConfig } from 'kysely'

/**
 * The statements that begin a transaction, in one round trip.
 *
 * - A process may freeze inside a transaction, because its machine is paused or its network is
 *   down. The first timeout, 3 s, makes PostgreSQL close the connection of such a process, which
 *   releases its locks. Otherwise the feed of revocations would stop, and after 4 s all other
 *   processes would respond with 503.
 * - A statement, such as one that waits for a lock, ends after 4 s. This process stops waiting
 *   later, after `queryMilliseconds`. So no statement continues after this process has stopped
 *   waiting for its result. A `lock_timeout` would add nothing: Keystile's statements are short,
 *   except for their waits for locks.
 * - The timeout of a statement does not include the time for which a commit waits for a synchronous
 *   standby. Otherwise PostgreSQL would cancel the wait and report the commit as done.
 * - A commit that is reported as done must be on disk. So if `synchronous_commit` is `off` for the
 *   role or the app's connections, the last statement sets it to `on`. All other values stay: with
 *   each of them, a commit waits for the disk, and with some also for standbys.
 *
 * All values are set for the transaction and not for the connection, because the pool may belong to
 * the app, and PgBouncer may use a different connection for each transaction.
 */
const begin =
  'begin isolation level read committed; ' +
  'set local idle_in_transaction_session_timeout = 3000; set local statement_timeout = 4000; ' +
  "select set_config('synchronous_commit', 'on', true) " +
  "where current_setting('synchronous_commit') = 'off'"

type PostgresConnection = Parameters<PostgresDriver['rollbackTransaction']>[0]

/** Kysely's dialect for PostgreSQL, with our settings in each transaction (see `begin`). */
export class BoundedDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig
  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }
  override createDriver(): Driver {
    return new BoundedDriver(this.#config)
  }
}

class BoundedDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(begin))
  }

  /**
   * Never throws: the caller must get the error that caused the rollback. If the rollback fails,
   * `super` marks the connection, which is then closed.
   */
  override async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await super.rollbackTransaction(connection).catch(() => {})
  }
}
