// A database that runs nothing and only records the SQL, with the values in it.
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
} from 'kysely'
import type { Reader } from './database.ts'
import { schema } from './schema.ts'

type Listener = (query: CompiledQuery) => void

/** Creates a SQLite or PostgreSQL database that passes each statement to `record`. */
export function createRecordingDatabase(kind: 'sqlite' | 'postgres', record: Listener): Reader {
  return kind === 'sqlite'
    ? new Kysely<unknown>({ dialect: sqliteDialect(record) })
    : new Kysely<unknown>({ dialect: postgresDialect(record) }).withSchema(schema)
}

function sqliteDialect(record: Listener): Dialect {
  return {
    createDriver: () => new RecordingDriver(record),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new PrintingSqliteCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

function postgresDialect(record: Listener): Dialect {
  return {
    createDriver: () => new RecordingDriver(record),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PrintingPostgresCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  }
}

class RecordingDriver extends DummyDriver {
  readonly #record: Listener
  constructor(record: Listener) {
    super()
    this.#record = record
  }
  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    return Object.assign(connection, {
      executeQuery: async (query: CompiledQuery): Promise<{ readonly rows: never[] }> => {
        this.#record(query)
        return { rows: [] }
      },
    })
  }
}

// These compilers write values into the SQL, instead of placeholders.

class PrintingPostgresCompiler extends PostgresQueryCompiler {
  protected override appendValue(value: unknown): void {
    this.appendImmediateValue(value)
  }
}

class PrintingSqliteCompiler extends SqliteQueryCompiler {
  protected override appendValue(value: unknown): void {
    this.appendImmediateValue(value)
  }
}
