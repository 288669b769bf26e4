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
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Reader } from './database.ts'
import { schema } from './migrate.ts'
import type { MigrationFacts } from './standing.ts'
import { defaultTimes, lockNumber } from './migrate-postgres.ts'
import { createBookkeeping, findRaisedMark, runSteps, type Absent } from './migrator.ts'
import { requireUpgradable } from './schema-mark.ts'

export interface PrintedDatabase {
  readonly kind: 'sqlite' | 'postgres'
  readonly facts: MigrationFacts
  readonly absent: Absent
}

/**
 * Returns the SQL of the missing migrations, as one transaction for psql or sqlite3. Runs no
 * statement on the database.
 *
 * @throws {ConfigurationError} if this release cannot upgrade the database, or if the SQL depends
 *   on the rows of the database
 */
export async function printMigrations({ kind, facts, absent }: PrintedDatabase): Promise<string> {
  requireUpgradable(facts)
  const { missing, isEmpty } = facts
  if (missing.length === 0) return '-- No migrations are missing.'

  const statements: string[] = []
  const db = createRecorder(kind, ({ sql, query }) => {
    if (query.kind !== 'SelectQueryNode') statements.push(sql)
    // An empty database has no rows to read.
    else if (!isEmpty) throw dependsOnRows(missing)
  })
  await createBookkeeping(db, absent)
  await runSteps(db, missing)

  const raised = facts.mark && findRaisedMark(missing)
  const safety =
    kind === 'postgres'
      ? [
          `set local lock_timeout = ${defaultTimes.lock}`,
          `select pg_advisory_xact_lock(${lockNumber})`,
        ]
      : []
  return [
    `-- Upgrades the tables of Keystile: ${missing.join(', ')}.`,
    ...(raised === undefined
      ? []
      : [`-- Before you run it, stop all servers without the migration ${raised}.`]),
    ...['begin', ...safety, ...statements, 'commit'].map((statement) => `${statement};`),
  ].join('\n')
}

/** Creates a database that runs nothing, and passes each statement to `record`. */
function createRecorder(
  kind: PrintedDatabase['kind'],
  record: (query: CompiledQuery) => void,
): Reader {
  const dialect: Dialect = {
    createDriver: () => new RecordingDriver(record),
    ...(kind === 'postgres'
      ? {
          createAdapter: () => new PostgresAdapter(),
          createQueryCompiler: () => new PrintingPostgresCompiler(),
          createIntrospector: (db) => new PostgresIntrospector(db),
        }
      : {
          createAdapter: () => new SqliteAdapter(),
          createQueryCompiler: () => new PrintingSqliteCompiler(),
          createIntrospector: (db) => new SqliteIntrospector(db),
        }),
  }
  const db = new Kysely<unknown>({ dialect })
  return kind === 'postgres' ? db.withSchema(schema) : db
}

class RecordingDriver extends DummyDriver {
  readonly #record: (query: CompiledQuery) => void
  constructor(record: (query: CompiledQuery) => void) {
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

function dependsOnRows(missing: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    `the SQL of ${missing.join(', ')} cannot be printed, because it depends on the rows of the ` +
      'database. Fix: run "keystile migrate"',
  )
}
