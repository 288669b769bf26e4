import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, type PostgresPool } from 'kysely'
import {
  createNotifier,
  runCommand,
  type Command,
  type Database,
  type Notifier,
  type Reader,
  type WriteCheck,
} from './database.ts'
import { readMigrations, schema } from './migrate.ts'
import { migratePostgres } from './migrate-postgres.ts'
import { createClient, type Pool } from './postgres-client.ts'
import { BoundedDialect } from './postgres-dialect.ts'
import { explained, isFailure } from './postgres-errors.ts'
import { connectPostgres } from './postgres-pool.ts'
import { receiveSignals } from './postgres-signals.ts'
import { requireMigrated } from './schema-mark.ts'

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
    await migratePostgres(migrationPool, { onlyIfEmpty: true })
    requireMigrated(await readMigrations(reader))
  } catch (error) {
    await close()
    throw explained(`${name} cannot be opened`, error)
  }

  const { notify, onCommitted } = createNotifier()
  let writing = 0
  let check: WriteCheck = () => undefined
  const writeTo = (db: Reader): Database['write'] => {
    const run = runInTransactions(db, notify)
    return async (command, values) => {
      writing++
      try {
        await check(db === urgentReader)
        return await run(command, values)
      } finally {
        writing--
      }
    }
  }
  return {
    reader,
    find: async (query) => (await reader.executeQuery(query)).rows[0],
    write: writeTo(reader),
    checkWrites: (given) => void (check = given),
    onCommitted,
    onSignal(listener) {
      if (typeof source === 'string')
        signals.push(receiveSignals(() => createClient(source), listener))
    },
    urgent: { reader: urgentReader, write: writeTo(urgentReader) },
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
 * Returns a function that runs commands, each in a transaction. If PostgreSQL has rolled a
 * transaction back because it conflicted with another, runs the command again from the start.
 * After any other failure, does not try again: the database may be down or overloaded, or the
 * outcome may be unknown.
 */
function runInTransactions(db: Reader, notify: Notifier['notify']) {
  return async <Values, Result>(
    command: Command<Values, Result>,
    values: Values,
  ): Promise<Result> => {
    for (let tries = 1; ; tries++) {
      try {
        const { result, notices } = await db
          .transaction()
          .execute((transaction) => runCommand(command, transaction, values))
        notify(notices)
        return result
      } catch (error) {
        if (tries === conflictTries || !isFailure(error, 'conflict')) throw error
        await delay(Math.random() * conflictMilliseconds)
      }
    }
  }
}
