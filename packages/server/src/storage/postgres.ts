import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, PostgresDialect, sql, type PostgresPool } from 'kysely'
import {
  createNotifier,
  DatabaseUnavailableError,
  runCommand,
  sendSignal,
  type Command,
  type Database,
  type Notifier,
  type Reader,
} from './database.ts'
import { migrate, schema } from './migrate.ts'
import { createClient, type Pool } from './postgres-client.ts'
import { BoundedDialect } from './postgres-dialect.ts'
import { findFix, isFailure, reasonOf } from './postgres-errors.ts'
import { connectPostgres } from './postgres-pool.ts'
import { receiveSignals } from './postgres-signals.ts'

/** How often a transaction is tried that conflicts with others. */
const conflictTries = 3
/**
 * The longest wait before another try. Each wait is random: otherwise the same two transactions
 * would conflict again.
 */
const conflictMilliseconds = 50

/**
 * Opens PostgreSQL by its URL, or with the app's own pool. `close` does not close the app's pool.
 * All tables are in the schema `keystile`.
 *
 * @param name how error messages name the database. It must not contain the user or the password.
 * @throws {DatabaseUnavailableError} when the database cannot be reached or migrated
 */
export async function openPostgres(source: string | Pool, name: string): Promise<Database> {
  const { pool, requestPool, migrationPool, close } = await connectPostgres(source)
  const signals: { close(): Promise<void> }[] = []
  const open = (from: PostgresPool): Reader =>
    new Kysely<unknown>({ dialect: new BoundedDialect({ pool: from }) }).withSchema(schema)
  const reader = open(requestPool)
  const urgentReader = open(pool)
  try {
    // Without the time limits of a request: an index of a big table takes minutes.
    const dialect = new PostgresDialect({ pool: migrationPool })
    await migrateOnce(new Kysely<unknown>({ dialect }).withSchema(schema))
  } catch (error) {
    await close()
    const fix = findFix(error)
    throw new DatabaseUnavailableError(
      `${name} cannot be opened: ${reasonOf(error)}${fix === undefined ? '' : `. Fix: ${fix}`}`,
      { cause: error },
    )
  }

  const { notify, onCommitted } = createNotifier()
  let writing = 0
  const writeTo = (db: Reader): Database['write'] => {
    const run = runInTransactions(db, notify)
    return (command, values) => {
      writing++
      return run(command, values).finally(() => writing--)
    }
  }
  return {
    reader,
    find: async (query) => (await reader.executeQuery(query)).rows[0],
    write: writeTo(reader),
    onCommitted,
    onSignal(listener) {
      if (typeof source !== 'string') return
      const from = {
        createClient: () => createClient(source),
        sendSignal: () => sql`select ${sendSignal(urgentReader)}`.execute(urgentReader),
      }
      signals.push(receiveSignals(from, listener))
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
 * transaction back because of a conflict with another one, runs the command again from the start.
 * No other failure is tried again: the database may be away or overloaded, or the outcome unknown.
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

/**
 * Runs the missing migrations. If two processes run `create … if not exists` at the same time, one
 * of them fails; this function then tries again, at most twice.
 */
async function migrateOnce(db: Reader): Promise<void> {
  const racing = new Set(['23505', '42P06', '42P07'])
  for (let tries = 3; ; tries--) {
    try {
      return await migrate(db)
    } catch (error) {
      const cause = (error as Error).cause as { code?: string } | undefined
      if (tries === 1 || !racing.has(cause?.code ?? '')) throw error
    }
  }
}
