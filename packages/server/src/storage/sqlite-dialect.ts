// Kysely on a SQLite file.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { SqliteDialect } from 'kysely'
import { unlessUnavailable } from './sqlite-errors.ts'

/**
 * The largest number of prepared statements in the cache. It limits the memory that the cache can
 * use. All features together need fewer statements.
 */
const maxStatements = 200

/**
 * A prepared statement, and whether it returns rows. `returnsRows` is stored here, so that it is
 * computed only once.
 */
interface Prepared {
  readonly statement: StatementSync
  readonly returnsRows: boolean
}

export type Prepare = (text: string) => Prepared

/**
 * Creates a cache of prepared statements. A full cache evicts the least recently used statement.
 */
export function createPrepare(sqlite: DatabaseSync): Prepare {
  const prepared = new Map<string, Prepared>()
  return (text) => {
    const found = prepared.get(text) ?? prepareNow(sqlite, text)
    prepared.delete(text)
    prepared.set(text, found) // moves it to the end: a map keeps the order of insertion

    const [oldest] = prepared.keys()
    if (prepared.size > maxStatements && oldest !== undefined) prepared.delete(oldest)
    return found
  }
}

function prepareNow(sqlite: DatabaseSync, text: string): Prepared {
  // `begin immediate` waits for the write lock before the first read. With `begin`, a transaction
  // that reads before it writes would fail if another process writes between the read and the
  // write.
  const statement = sqlite.prepare(text === 'begin' ? 'begin immediate' : text)
  return { statement, returnsRows: statement.columns().length > 0 }
}

export function sqliteDialect(
  sqlite: DatabaseSync,
  prepare: Prepare = createPrepare(sqlite),
): SqliteDialect {
  return new SqliteDialect({
    database: {
      prepare(text) {
        const { statement, returnsRows } = prepare(text)
        return {
          reader: returnsRows,
          all: (values) =>
            unlessUnavailable(() => statement.all(...(values as readonly SQLInputValue[]))),
          run(values) {
            // When the disk is full, SQLite has already rolled back. A second rollback would fail,
            // and its error would hide the first error.
            if (text === 'rollback' && !sqlite.isTransaction)
              return { changes: 0, lastInsertRowid: 0 }
            return unlessUnavailable(() => statement.run(...(values as readonly SQLInputValue[])))
          },
          iterate() {
            throw new Error(
              'queries must not be streamed: an open iterator would keep an old snapshot',
            )
          },
        }
      },
      close: () => sqlite.close(),
    },
  })
}

/**
 * Returns the first row of a query. Does not use Kysely: each guarded request makes such a read, so
 * it must be fast.
 */
export function findFirst(prepare: Prepare, text: string, values: readonly unknown[]): unknown {
  return unlessUnavailable(() =>
    prepare(text).statement.get(...(values as readonly SQLInputValue[])),
  )
}
