import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { SqliteAdapter, SqliteDialect, type DialectAdapter } from 'kysely'

import { DatabaseUnavailableError } from './database.ts'

const maxStatements = 200

/**
 * A file that SQLite opens as we need it: what is acknowledged is on disk, and a locked file is
 * waited for.
 */
export function openSqliteFile(
  file: string,
  options: { readonly readOnly: boolean },
): DatabaseSync {
  const sqlite = new DatabaseSync(file, {
    readOnly: options.readOnly,
    timeout: 5_000,
    enableForeignKeyConstraints: true,
  })
  if (!options.readOnly) sqlite.exec('pragma journal_mode = wal')
  sqlite.exec('pragma synchronous = full')
  return sqlite
}

/** A statement, and whether it returns rows, which is asked once. */
interface Prepared {
  readonly statement: StatementSync
  readonly returnsRows: boolean
}

/** Statements by their text, the latest used of them. */
export type Prepare = (text: string) => Prepared

export function createPrepare(sqlite: DatabaseSync): Prepare {
  const prepared = new Map<string, Prepared>()
  return (text) => {
    const found = prepared.get(text) ?? prepareNow(sqlite, text)
    prepared.delete(text)
    prepared.set(text, found)
    const [oldest] = prepared.keys()
    if (prepared.size > maxStatements && oldest !== undefined) prepared.delete(oldest)
    return found
  }
}

function prepareNow(sqlite: DatabaseSync, text: string): Prepared {
  // A transaction that reads before it writes would fail on a lock that `begin` does not take.
  const statement = sqlite.prepare(text === 'begin' ? 'begin immediate' : text)
  return { statement, returnsRows: statement.columns().length > 0 }
}

/** Kysely's SQLite dialect over node:sqlite. */
export function sqliteDialect(
  sqlite: DatabaseSync,
  prepare: Prepare = createPrepare(sqlite),
): SqliteDialect {
  return new NodeSqliteDialect({
    database: {
      prepare(text) {
        const { statement, returnsRows } = prepare(text)
        return {
          reader: returnsRows,
          all: (values) =>
            unlessUnavailable(() => statement.all(...(values as readonly SQLInputValue[]))),
          run(values) {
            // Where the disk is full SQLite rolls back by itself. To fail then would hide why.
            if (text === 'rollback' && !sqlite.isTransaction)
              return { changes: 0, lastInsertRowid: 0 }
            return unlessUnavailable(() => statement.run(...(values as readonly SQLInputValue[])))
          },
          iterate() {
            throw new Error(
              'nothing is streamed: an open iterator would keep an old snapshot of the file',
            )
          },
        }
      },
      close: () => sqlite.close(),
    },
  })
}

/** The first row of a query, without Kysely's way round. */
export function findFirst(prepare: Prepare, text: string, values: readonly unknown[]): unknown {
  return unlessUnavailable(() =>
    prepare(text).statement.get(...(values as readonly SQLInputValue[])),
  )
}

/**
 * SQLITE_BUSY, _LOCKED, _IOERR, _FULL, _CANTOPEN: the file cannot be used now; the low byte of a
 * result code.
 */
const unavailableCodes = new Set([5, 6, 10, 13, 14])

function isUnavailable(code: number | undefined): boolean {
  return code !== undefined && unavailableCodes.has(code & 0xff)
}

function unlessUnavailable<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string }
    throw isUnavailable(errcode) ? new DatabaseUnavailableError(message, { cause: error }) : error
  }
}

class NodeSqliteDialect extends SqliteDialect {
  override createAdapter(): DialectAdapter {
    return new TransactionalSqliteAdapter()
  }
}

/**
 * SQLite's transactions cover changes of the layout as well, which Kysely does not count on: a
 * migration is whole or not.
 */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
