import { CompiledQuery, Kysely, PostgresDialect, PostgresDriver } from 'kysely'
import type { DatabaseConnection, Driver, PostgresDialectConfig, PostgresPool } from 'kysely'
import { DatabaseUnavailableError, type Command, type Database, type Reader } from './database.ts'
import { createLine, type Line } from './line.ts'
import { migrate, schema } from './migrate.ts'

/** The part of pg's `Pool` that is used: an application passes its own. */
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
 * A query that takes longer is given up: a connection that nobody answers on must not hold a guard.
 */
const queryMilliseconds = 5_000

/**
 * How a transaction begins, in one round trip. A process that freezes inside a transaction (a
 * paused machine, a lost network) holds its locks for 3 s at most: after 4 s without news, the
 * other processes would answer 503 to everybody. A statement, such as one that waits for a lock,
 * ends before the process gives up on it (`queryMilliseconds`), so it leaves no backend behind.
 * PostgreSQL does not count the wait of a commit for a synchronous standby, so no commit is cut
 * short and reported as done.
 *
 * `set local` and not a parameter of the connection: the pool may be the application's, and
 * PgBouncer may give each transaction another connection.
 */
const begin =
  'begin isolation level read committed; ' +
  'set local idle_in_transaction_session_timeout = 3000; set local statement_timeout = 4000'

/** Connections that requests share, where the pool is ours. */
const requestConnections = 10
/** How long a request waits for one of them. */
const lineMilliseconds = 2_000

const int8 = 20
const int4 = 23

/**
 * Instants and counts come as numbers. Said a query at a time: the pool may be the application's,
 * with parsers of its own.
 */
const typeParsers: TypeParsers = {
  getTypeParser: (oid) => (oid === int8 || oid === int4 ? Number : (text) => text),
}

/**
 * Opens PostgreSQL by URL, or over the application's own pool, which `close` leaves open. All
 * tables lie in the schema `keystile`.
 *
 * @throws {DatabaseUnavailableError} when it cannot be reached or migrated
 */
export async function openPostgres(source: string | Pool): Promise<Database> {
  const { pool, requestPool, close } = await connectPostgres(source)
  const open = (from: PostgresPool): Reader =>
    new Kysely<unknown>({ dialect: new BoundedDialect({ pool: from }) }).withSchema(schema)
  const reader = open(requestPool)
  const urgentReader = open(pool)
  try {
    await migrateOnce(reader)
  } catch (error) {
    await close()
    throw new DatabaseUnavailableError(
      `The PostgreSQL database cannot be opened: ${reasonOf(error)}`,
      {
        cause: error,
      },
    )
  }
  let writing = 0
  const writeTo =
    (db: Reader) =>
    async <Values, Result>(command: Command<Values, Result>, values: Values): Promise<Result> => {
      writing++
      try {
        return await db.transaction().execute((transaction) => command.run(transaction, values))
      } finally {
        writing--
      }
    }
  return {
    hasLocalReads: false,
    reader,
    find: async (query) => (await reader.executeQuery(query)).rows[0],
    write: writeTo(reader),
    urgent: { reader: urgentReader, write: writeTo(urgentReader) },
    get writeQueueLength() {
      return writing
    },
    close,
  }
}

/** Kysely's dialect, with transactions that cannot hold a lock for long. */
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
 * Returns the pool as Kysely wants it, and the same with a line for requests, which leaves one
 * connection free. So no request delays the feed of revocations, unless the pool has a single
 * connection. The feed has no pool of its own: an app's pool may be all that it is allowed.
 * `close` leaves an application's own pool open.
 */
export async function connectPostgres(source: string | Pool): Promise<{
  readonly pool: PostgresPool
  readonly requestPool: PostgresPool
  close(): Promise<void>
}> {
  const pool = typeof source === 'string' ? await createPool(source) : source
  // Without a listener a connection that breaks while idle would end the process; the next query
  // tells all that matters.
  pool.on('error', () => {})
  pool.on('connect', listen)
  const connections = pool.options?.max ?? requestConnections
  return {
    pool: convertingPool(pool),
    requestPool: convertingPool(pool, createLine(Math.max(1, connections - 1), lineMilliseconds)),
    async close() {
      if (typeof source === 'string') await pool.end()
    },
  }
}

async function createPool(url: string): Promise<Pool> {
  const { Pool } = (await import('pg')).default
  return new Pool({
    connectionString: url,
    max: requestConnections + 1,
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
    application_name: 'keystile',
  })
}

/**
 * `create … if not exists` of two processes at once fails in one of them, and works when said
 * again.
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

const known = new WeakSet<PoolClient>()
const broken = new WeakSet<PoolClient>()

/**
 * Notes when a connection breaks. The pool listens while a client is idle, and nobody while it is
 * handed out or used: without this a restart of the database would end the process.
 */
function listen(client: PoolClient): void {
  if (known.has(client)) return
  known.add(client)
  client.on('error', () => broken.add(client))
}

/**
 * The pool as Kysely wants it, with our parsers and time limit, and with errors of the connection
 * told from errors of a query. A connection that broke or did not answer is thrown away.
 *
 * @param line where a caller waits for a connection; without one, in the pool's own
 */
function convertingPool(pool: Pool, line?: Line): PostgresPool {
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
            client.query({ text, values, types: typeParsers, query_timeout: queryMilliseconds }),
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

async function unlessDown<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    // Classes 08, 53, 57P: the connection, its resources, its end. 40: two transactions that could
    // not both be. 57014, 55P03, 25P03, 25P04: a statement, a lock, a transaction that took too
    // long.
    const isDown =
      /^(08|53|57P|57014|55P03|25P03|25P04|40001|40P01|E[A-Z]+$|25006)/.test(code) ||
      /timeout|terminated|not queryable/i.test(message)
    if (isDown)
      throw new DatabaseUnavailableError('the PostgreSQL database cannot be reached', {
        cause: error,
      })
    // They hold the row: an e-mail, a hash.
    throw Object.assign(error as object, { detail: undefined, where: undefined, hint: undefined })
  }
}

/** For whoever starts the server: the words of the driver, which name host and port. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}
