import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import { DatabaseUnavailableError, type Command, type Database } from './database.ts'
import { migrate, schema } from './migrate.ts'
import type { Tables } from './tables.ts'

/** The part of pg's `Pool` that is used: an application passes its own. */
export interface Pool {
  connect(): Promise<PoolClient>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
}

export interface PoolClient {
  query(query: {
    readonly text: string
    readonly values: readonly unknown[]
    readonly types: TypeParsers
  }): Promise<unknown>
  release(error?: Error | boolean): void
}

interface TypeParsers {
  getTypeParser(oid: number, format?: string): (text: string) => unknown
}

const int8 = 20
const int4 = 23

/** Instants and counts come as numbers. Said a query at a time: the pool may be the application's, with parsers of its own. */
const typeParsers: TypeParsers = { getTypeParser: (oid) => (oid === int8 || oid === int4 ? Number : (text) => text) }

/**
 * Opens PostgreSQL by URL, or over the application's own pool, which `close` leaves open. All tables lie in the schema
 * `keystile`.
 *
 * @throws {DatabaseUnavailableError} when it cannot be reached or migrated
 */
export async function openPostgres(source: string | Pool): Promise<Database> {
  const pool = typeof source === 'string' ? await createPool(source) : source
  // Without a listener a connection that breaks while idle would end the process; the next query tells all that matters.
  pool.on('error', () => {})
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: convertingPool(pool) }) }).withSchema(schema)
  const close = async (): Promise<void> => {
    if (typeof source === 'string') await pool.end()
  }
  try {
    await migrateOnce(db)
  } catch (error) {
    await close()
    throw new DatabaseUnavailableError(`The PostgreSQL database cannot be opened: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  return {
    kind: 'postgres',
    reader: db,
    write: <Values, Result>(command: Command<Values, Result>, values: Values) =>
      db.transaction().execute((transaction) => command.run(transaction, values)),
    close,
  }
}

async function createPool(url: string): Promise<Pool> {
  const { Pool } = (await import('pg')).default
  return new Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 2_000, application_name: 'keystile' })
}

/** `create … if not exists` of two processes at once fails in one of them, and works when said again. */
async function migrateOnce(db: Kysely<Tables>): Promise<void> {
  const racing = new Set(['23505', '42P06', '42P07'])
  for (let tries = 3; ; tries--) {
    try {
      return await migrate(db, 'postgres')
    } catch (error) {
      const cause = (error as Error).cause as { code?: string } | undefined
      if (tries === 1 || !racing.has(cause?.code ?? '')) throw error
    }
  }
}

/** The pool as Kysely wants it, with our parsers, and with errors of the connection told from errors of a query. */
function convertingPool(pool: Pool): PostgresPool {
  return {
    options: {},
    async connect() {
      const client = await unlessDown(pool.connect())
      const query = (text: string, values: readonly unknown[]): Promise<unknown> =>
        unlessDown(client.query({ text, values, types: typeParsers }))
      return { query, release: () => client.release() } as Awaited<ReturnType<PostgresPool['connect']>>
    },
    end: () => pool.end(),
  }
}

async function unlessDown<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    const isDown = /^(08|53|57P|E[A-Z]+$|25006)/.test(code) || /timeout|terminated|not queryable/i.test(message)
    throw isDown ? new DatabaseUnavailableError('the PostgreSQL database cannot be reached', { cause: error }) : error
  }
}

/** For whoever starts the server: the words of the driver, which name host and port. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}
