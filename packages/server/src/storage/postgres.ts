import { CompiledQuery, Kysely, PostgresDialect, PostgresDriver } from 'kysely'
import type { ClientConfig } from 'pg'
import type { DatabaseConnection, Driver, PostgresDialectConfig, PostgresPool } from 'kysely'
import { ConfigurationError } from '../base/configuration-error.ts'
import {
  createNotifier,
  DatabaseUnavailableError,
  runCommand,
  type Command,
  type Database,
  type Reader,
  type WriteCheck,
} from './database.ts'
import { createLine, type Line } from './line.ts'
import { migratePostgres } from './migrate-postgres.ts'
import { readMigrations, schema } from './migrate.ts'
import { requireMigrated } from './schema-mark.ts'
import { receiveSignals, type SignalClient } from './postgres-signals.ts'

/** The part of pg's `Pool` that Keystile uses. An app may pass its own pool. */
export interface Pool {
  connect(): Promise<PoolClient>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'connect', listener: (client: PoolClient) => void): unknown
  readonly options?: { readonly max?: number | undefined }
}

interface PoolClient {
  query(query: {
    readonly text: string
    readonly values: readonly unknown[]
    readonly types: TypeParsers
    readonly query_timeout: number
  }): Promise<unknown>
  release(error?: Error | boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

interface TypeParsers {
  getTypeParser(oid: number, format?: string): (text: string) => unknown
}

/**
 * The timeout of a query. Without it, a guard would wait forever for a reply on a dead connection.
 */
const queryMilliseconds = 5_000

/**
 * The statements that begin a transaction, in one round trip.
 *
 * - A process may freeze inside a transaction, because its machine is paused or its network is
 *   down. The first timeout, 3 s, makes PostgreSQL close the connection of such a process, which
 *   releases its locks. Otherwise the feed of revocations would stop, and after 4 s all other
 *   processes would respond with 503.
 * - A statement, such as one that waits for a lock, ends after 4 s. This process stops waiting
 *   later, after `queryMilliseconds`. So no statement continues after this process has stopped
 *   waiting for its result.
 * - The timeout of a statement does not include the time for which a commit waits for a synchronous
 *   standby. Otherwise PostgreSQL would cancel the wait and report the commit as done.
 *
 * The timeouts are set with `set local` and not as parameters of the connection, because the pool
 * may belong to the app, and PgBouncer may use a different connection for each transaction.
 */
const begin =
  'begin isolation level read committed; ' +
  'set local idle_in_transaction_session_timeout = 3000; set local statement_timeout = 4000'

/**
 * The number of connections for requests in a pool that Keystile creates. It is pg's default for
 * the size of a pool.
 */
const requestConnections = 10
/**
 * The longest time that a request waits for a connection. Clients do not wait much longer than
 * this.
 */
const lineMilliseconds = 2_000

// The ids of types in PostgreSQL's `pg_type`.
const int8 = 20
const int4 = 23

/**
 * Parses times and counts as numbers, and all other values as strings. Each query gets these
 * parsers. They are not set on the pool, because the pool may belong to the app, which may need
 * other parsers.
 */
const typeParsers: TypeParsers = {
  getTypeParser: (oid) => (oid === int8 || oid === int4 ? Number : (text) => text),
}

/**
 * Opens PostgreSQL by its URL, or with the app's own pool. `close` does not close the app's pool.
 * All tables are in the schema `keystile`. Creates them in an empty database, but does not upgrade
 * older ones: that is the task of `runMigrations`, because it can take long and needs rights that a
 * server should not have.
 *
 * @param name how error messages name the database. It must not contain the user or the password.
 * @throws {ConfigurationError} if the tables are older than this release, or too new for it
 * @throws {DatabaseUnavailableError} when the database cannot be reached, or its tables created
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
  const writeTo =
    (db: Reader) =>
    async <Values, Result>(command: Command<Values, Result>, values: Values): Promise<Result> => {
      writing++
      try {
        const checked = check(db === urgentReader)
        if (checked) await checked
        const { result, notices } = await db
          .transaction()
          .execute((transaction) => runCommand(command, transaction, values))
        notify(notices)
        return result
      } finally {
        writing--
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

/** Returns the error for an operator, with the reason and a fix if one is known. */
export function explained(what: string, error: unknown): Error {
  if (error instanceof ConfigurationError && !(error instanceof MissingPgError))
    return new ConfigurationError(`${what}: ${error.message}`, { cause: error })

  const fix = findFix(error)
  return new DatabaseUnavailableError(
    `${what}: ${reasonOf(error)}${fix === undefined ? '' : `. Fix: ${fix}`}`,
    { cause: error },
  )
}

/** Kysely's dialect for PostgreSQL, with timeouts in each transaction (see `begin`). */
class BoundedDialect extends PostgresDialect {
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
}

/**
 * Returns the pool in two forms that Kysely can use. `pool` is for the feed of revocations.
 * `requestPool` is for requests; its queue leaves one connection free. So requests never delay the
 * feed, except if the pool has only one connection. `migrationPool` is for migrations: its queries
 * have no timeout. The feed does not get a pool of its own,
 * because the database might refuse more connections than the app's pool has. `close` does NOT
 * close a pool that belongs to the app.
 */
export async function connectPostgres(source: string | Pool): Promise<{
  readonly pool: PostgresPool
  readonly requestPool: PostgresPool
  readonly migrationPool: PostgresPool
  close(): Promise<void>
}> {
  const pool = typeof source === 'string' ? await createPool(source) : source
  // Without a listener, an idle connection that breaks would end the process. The next query
  // reports the error.
  pool.on('error', () => {})
  pool.on('connect', listen)
  const connections = pool.options?.max ?? requestConnections
  return {
    pool: convertingPool(pool),
    requestPool: convertingPool(pool, createLine(Math.max(1, connections - 1), lineMilliseconds)),
    migrationPool: convertingPool(pool, undefined, 0),
    async close() {
      if (typeof source === 'string') await pool.end()
    },
  }
}

async function createPool(url: string): Promise<Pool> {
  const { Pool } = await importPg()
  return new Pool({ ...connectionOptions(url), max: requestConnections + 1 })
}

/** Creates a client for one connection outside of the pool. */
async function createClient(url: string): Promise<SignalClient> {
  const { Client } = await importPg()
  return new Client({ ...connectionOptions(url), query_timeout: queryMilliseconds })
}

function connectionOptions(url: string): ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
    application_name: 'keystile',
  }
}

const missingPg = 'the package pg must be installed for a database on PostgreSQL'
const installPg = 'npm install pg'

/** Thrown if `pg`, an optional peer dependency, is not installed. */
class MissingPgError extends ConfigurationError {
  constructor(cause: unknown) {
    super(`${missingPg}. Fix: ${installPg}`, { cause })
  }
}

/** @throws {MissingPgError} */
async function importPg(): Promise<(typeof import('pg'))['default']> {
  try {
    return (await import('pg')).default
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new MissingPgError(error)
  }
}

const known = new WeakSet<PoolClient>()
const broken = new WeakSet<PoolClient>()

/**
 * Remembers that a connection is broken. The pool itself listens for errors only while a connection
 * is idle. Without this listener, a restart of the database would end the process.
 */
function listen(client: PoolClient): void {
  if (known.has(client)) return
  known.add(client)
  client.on('error', () => broken.add(client))
}

/**
 * Returns the pool in the form that Kysely needs, with our parsers and timeout. A query throws
 * `DatabaseUnavailableError` if the connection fails. The pool never reuses a connection that broke
 * or did not answer.
 *
 * @param line the queue for connections. Without one, callers wait in the pool's own queue.
 * @param timeout the timeout of a query in milliseconds; 0: none
 */
function convertingPool(pool: Pool, line?: Line, timeout = queryMilliseconds): PostgresPool {
  return {
    options: {},
    async connect() {
      const leave = await line?.enter()
      const client = await unlessDown(pool.connect()).catch((error: unknown) => {
        leave?.()
        throw error
      })
      listen(client)
      const query = async (text: string, values: readonly unknown[]): Promise<unknown> => {
        try {
          return await unlessDown(
            client.query({ text, values, types: typeParsers, query_timeout: timeout }),
          )
        } catch (error) {
          if (error instanceof DatabaseUnavailableError) broken.add(client)
          throw error
        }
      }
      const release = (): void => {
        client.release(broken.has(client))
        leave?.()
      }
      return { query, release } as Awaited<ReturnType<PostgresPool['connect']>>
    },
    end: () => pool.end(),
  }
}

/** Waits for `work`. @throws {DatabaseUnavailableError} when the database was not available */
async function unlessDown<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    // 08, 53, 57P: no connection, no resources, a shutdown. 57014, 55P03, 25P03, 25P04: the timeout
    // of a statement, a lock or a transaction. 40001, 40P01: a conflict or deadlock of two
    // transactions. 25006: a read-only standby. E…: a code of Node, such as ECONNREFUSED.
    const isDown =
      /^(08|53|57P|57014|55P03|25P03|25P04|40001|40P01|E[A-Z]+$|25006)/.test(code) ||
      /timeout|terminated|not queryable/i.test(message)
    if (isDown)
      throw new DatabaseUnavailableError('the PostgreSQL database cannot be reached', {
        cause: error,
      })

    // These members may contain values of the row, such as an e-mail address or a password hash,
    // which must not reach the log.
    throw Object.assign(error as object, { detail: undefined, where: undefined, hint: undefined })
  }
}

/**
 * Returns the driver's message for the operator. The message may name the host and the port. It
 * never contains a password.
 */
export function reasonOf(error: unknown): string {
  const cause = rootOf(error)
  // If a host has several addresses, the error has an empty message and an error for each address.
  const parts = cause instanceof AggregateError ? cause.errors.map(messageOf) : [messageOf(cause)]
  return parts.join(', ')
}

/** Returns why a database cannot be opened, and how to fix it if that is known. */
export function explainUnavailable(error: unknown): {
  readonly reason: string
  readonly fix: string | undefined
} {
  return error instanceof MissingPgError
    ? { reason: missingPg, fix: installPg }
    : { reason: reasonOf(error), fix: findFix(error) }
}

/** Returns the fix, such as `correct the host in the URL`; undefined if no fix is known. */
function findFix(error: unknown): string | undefined {
  const root = rootOf(error)
  // pg throws this error without a code, because PostgreSQL asked for a password.
  if (/client password must be a/.test(root.message)) return giveThePassword
  const code: unknown = Reflect.get(root, 'code')
  return fixes.find(([codes]) => typeof code === 'string' && codes.test(code))?.[1]
}

const giveThePassword = 'give the password: in the URL, in PGPASSWORD or in the file PGPASSFILE'

/** The known fixes. The codes are error codes of PostgreSQL and of Node. */
const fixes: readonly (readonly [codes: RegExp, fix: string])[] = [
  [/^(28P01|28000)$/, 'correct the user and the password in the URL'],
  [/^3D000$/, 'create the database, or correct its name in the URL'],
  [
    /^42501$/,
    'run "keystile migrate" as the role that owns the tables, or let the owner of the database ' +
      'run "grant create on database DATABASE to ROLE", with the database and the user of the URL',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'correct the host in the URL'],
  [/^(ECONNREFUSED|ETIMEDOUT)$/, 'start PostgreSQL there, or correct host and port in the URL'],
]

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Returns the first cause of an error. */
function rootOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(messageOf(error))
  return error.cause instanceof Error ? rootOf(error.cause) : error
}
