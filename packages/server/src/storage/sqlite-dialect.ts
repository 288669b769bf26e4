import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { SqliteAdapter, SqliteDialect, type DialectAdapter } from 'kysely'

import { DatabaseUnavailableError } from './database.ts'

const maxStatements = 200

/** A file that SQLite opens as we need it: what is acknowledged is on disk, and a locked file is waited for. */
export function openSqliteFile(file: string, options: { readonly readOnly: boolean }): DatabaseSync {
  const sqlite = new DatabaseSync(file, {
    readOnly: options.readOnly,
    timeout: 5_000,
    enableForeignKeyConstraints: true,
  })
  if (!options.readOnly) sqlite.exec('pragma journal_mode = wal; pragma synchronous = full')
  return sqlite
}

/** Kysely's SQLite dialect over node:sqlite. */
export function sqliteDialect(sqlite: DatabaseSync): SqliteDialect {
  const statements = new Map<string, StatementSync>()
  const prepare = (text: string): StatementSync => {
    // A transaction that reads before it writes would fail on a lock that `begin` does not take.
    const found = statements.get(text) ?? sqlite.prepare(text === 'begin' ? 'begin immediate' : text)
    statements.delete(text)
    statements.set(text, found)
    if (statements.size > maxStatements) statements.delete(statements.keys().next().value!)
    return found
  }
  return new NodeSqliteDialect({
    database: {
      prepare(text) {
        const statement = prepare(text)
        return {
          reader: statement.columns().length > 0,
          all: (values) => unlessUnavailable(() => statement.all(...(values as readonly SQLInputValue[]))),
          run: (values) => unlessUnavailable(() => statement.run(...(values as readonly SQLInputValue[]))),
          iterate() {
            throw new Error('nothing is streamed: an open iterator would keep an old snapshot of the file')
          },
        }
      },
      close: () => sqlite.close(),
    },
  })
}

/** SQLITE_BUSY, _LOCKED, _IOERR, _FULL, _CANTOPEN: the file cannot be used now; the low byte of a result code. */
const unavailableCodes = new Set([5, 6, 10, 13, 14])

export function isUnavailable(code: number | undefined): boolean {
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

/** SQLite's transactions cover changes of the layout as well, which Kysely does not count on: a migration is whole or not. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
