// The SQLite file of the writer thread: which files it refuses, and how no commit gets lost.
import { realpathSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { DatabaseUnavailableError, type Reader } from './database.ts'
import { migrateSqlite } from './migrate-sqlite.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

/**
 * The only connection that writes to the file: `sqlite` is the connection itself, and `db` is
 * Kysely on top of it.
 */
export interface WritableFile {
  readonly sqlite: DatabaseSync
  readonly db: Reader
  /** @throws {DatabaseUnavailableError} if the opened files are no longer at their paths */
  requireInPlace(): void
}

/**
 * Opens a SQLite file for writing, and upgrades its tables.
 *
 * @throws {Error} if the file belongs to another program
 */
export async function openWritableFile(path: string): Promise<WritableFile> {
  const sqlite = openSqliteFile(path, 'write')
  try {
    refuseForeignTables(sqlite)
    const db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
    await migrateSqlite(db)
    storeRecovered(sqlite)
    return { sqlite, db, requireInPlace: watchPlace(path) }
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/**
 * Returns a function that throws if the opened file or its write-ahead log is no longer at its
 * path. SQLite then writes into files that no other process can find, and the writes are lost when
 * this process ends. SQLite itself does not notice this.
 */
function watchPlace(path: string): () => void {
  // SQLite too resolves the path only once. The app may change its working folder later.
  const file = realpathSync(path)
  const identify = (): string =>
    [file, `${file}-wal`]
      .map((each) => statSync(each, { throwIfNoEntry: false }))
      .map((stats) => `${stats?.dev}:${stats?.ino}`)
      .join()
  const opened = identify()
  return () => {
    if (identify() !== opened)
      throw new DatabaseUnavailableError(
        'the SQLite file or its write-ahead log was moved or replaced while Keystile was ' +
          'running. Fix: restart Keystile',
      )
  }
}

/** Refuses the file of another program, before anything is written into it. */
function refuseForeignTables(sqlite: DatabaseSync): void {
  const tables = sqlite.prepare("select name from sqlite_schema where type = 'table'").all()
  // Other programs have a table with this name too.
  const columns = sqlite.prepare("select name from pragma_table_info('migration')").all()
  const isOurs = ['name', 'timestamp'].every((own) => columns.some(({ name }) => name === own))
  if (tables.length > 0 && !isOurs)
    throw new Error(
      'the file belongs to another program: it has tables, but none of Keystile. ' +
        'Fix: name another file',
    )
}

// decisions/0032-after-a-failed-sync.md
/**
 * Copies the commits in the write-ahead log into the file, and waits for the disk. If an earlier
 * process ended after a failed sync, the last commit in the log may not be on the disk. The
 * operating system has it only in memory, but treats it as stored. Without this copy, a power
 * failure would lose this commit and all later commits in the log.
 */
function storeRecovered(sqlite: DatabaseSync): void {
  // `passive` does not wait for other processes. If one of them prevents the copy, it has opened
  // the file before this process, and has itself copied the commits that were there.
  sqlite.exec('pragma wal_checkpoint(passive)')
}
