// How PostgreSQL is used, also when it does not answer
// (decisions/0031-when-postgresql-does-not-answer.md). Commands run on a pool of connections. In
// reading order:
//
// 1. This file runs each command in a transaction, and again after a conflict.
//    `postgres-dialect.ts` begins the transactions, with their time limits.
// 2. `connection-queue.ts`: if all connections are busy, callers wait in a queue, which keeps one
//    connection free for the feed of revocations. If the wait would probably be too long, the
//    request gets 503 at once (decisions/0007-queue-for-connections.md).
// 3. `postgres-pool.ts` is the pool that Kysely uses. If the first statement on a kept connection
//    finds it lost, it sends the statement once more on another one. `postgres-connections.ts`
//    takes connections from the pool of pg (`postgres-client.ts`), or of the app. It knows the
//    state of each (`postgres-states.ts`), and closes those that broke, that did not answer, or
//    that are older than an outage. `postgres-send.ts` sends the statements.
// 4. `postgres-outage.ts`: all that waits for the database waits in `watch`. If no connection gets
//    an answer for 500 ms, a probe (`postgres-probe.ts`) opens a new connection. If the probe gets
//    no answer either, all waiting work fails, and new work fails at once, until a probe is
//    answered.
// 5. `postgres-errors.ts` decides what an error means, and `postgres-advice.ts` tells the operator.
// 6. `postgres-commit.ts` sends COMMIT. If the connection is lost then, or PostgreSQL warns that it
//    did not wait for its standby, it throws an `UnknownOutcomeError`. A connection whose COMMIT
//    has no answer stays out of the pool (`held-connections.ts`), because PostgreSQL keeps it too.
// 7. `postgres-cancel.ts`: if this process stops waiting for a read, it asks PostgreSQL to cancel
//    it.
// 8. `postgres-signals.ts` receives the signals of other processes, on a connection of its own.
import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, type PostgresPool } from 'kysely'
import type { Command, Database, Reader, WriteCheck } from './database.ts'
import { createPostgresTables } from './migrate-postgres.ts'
import { createNotifier, runCommand, type CommandOutcome } from './notices.ts'
import { errorWithFix } from './postgres-advice.ts'
import { createClient, type Pool } from './postgres-client.ts'
import { BoundedDialect } from './postgres-dialect.ts'
import { isFailure } from './postgres-errors.ts'
import { connectPostgres } from './postgres-pool.ts'
import { receiveSignals } from './postgres-signals.ts'
import { requireMigrated } from './require-schema.ts'
import { readSchemaState } from './schema-state.ts'
import { schema } from './schema.ts'

const conflictTries = 3
/**
 * The longest wait before another try. Each wait is random: otherwise the same two transactions
 * would conflict again.
 */
const conflictMilliseconds = 50

/**
 * Opens PostgreSQL by its URL, or with the app's own pool. `close` does not close the app's pool.
 * All tables are in the schema `keystile`. Creates the tables in an empty database, but does not
 * upgrade older tables. `runMigrations` does that, because an upgrade can take long and needs
 * rights that a server should not have.
 *
 * @param name how error messages name the database. It must not contain the user or the password.
 * @throws {ConfigurationError} if the tables are older than this release, or too new for it
 * @throws {DatabaseUnavailableError} when the database cannot be reached, or the tables cannot be
 *   created
 */
export async function openPostgres(source: string | Pool, name: string): Promise<Database> {
  const { pool, requestPool, migrationPool, close } = await connectPostgres(source)
  const signals: { close(): Promise<void> }[] = []
  const open = (from: PostgresPool): Reader =>
    new Kysely<unknown>({ dialect: new BoundedDialect({ pool: from }) }).withSchema(schema)
  const reader = open(requestPool)
  const urgentReader = open(pool)
  try {
    await createPostgresTables(migrationPool)
    requireMigrated(await readSchemaState(reader))
  } catch (error) {
    await close()
    throw errorWithFix(`${name} cannot be opened`, error)
  }

  const { notify, onCommitted } = createNotifier()
  let writing = 0
  let check: WriteCheck = () => undefined
  const writeTo =
    (db: Reader, isUrgent: boolean): Database['write'] =>
    async (command, values) => {
      writing++
      try {
        await check(isUrgent)
        const { result, notices } = await runInTransaction(db, command, values)
        notify(notices)
        return result
      } finally {
        writing--
      }
    }
  return {
    reader,
    find: async (query) => (await reader.executeQuery(query)).rows[0],
    write: writeTo(reader, false),
    checkWrites: (given) => void (check = given),
    onCommitted,
    onSignal(listener) {
      if (typeof source === 'string')
        signals.push(receiveSignals(() => createClient(source), listener))
    },
    urgent: { reader: urgentReader, write: writeTo(urgentReader, true) },
    get writeQueueLength() {
      return writing
    },
    async close() {
      await Promise.all(signals.map((each) => each.close()))
      await close()
    },
  }
}

/**
 * Runs a command in a transaction. If PostgreSQL has rolled the transaction back because it
 * conflicted with another, runs the command again from the start. After any other failure, does not
 * try again: the database may be down or overloaded, or the outcome may be unknown.
 */
async function runInTransaction<Values, Result>(
  db: Reader,
  command: Command<Values, Result>,
  values: Values,
): Promise<CommandOutcome<Result>> {
  for (let tries = 1; ; tries++) {
    try {
      return await db
        .transaction()
        .execute((transaction) => runCommand(command, transaction, values))
    } catch (error) {
      if (tries === conflictTries || !isFailure(error, 'conflict')) throw error
      await delay(Math.random() * conflictMilliseconds)
    }
  }
}
