import type { DatabaseSync } from 'node:sqlite'

/**
 * What a connection to a SQLite file may do:
 *
 * - `read`: it cannot write.
 * - `write`: it can read and write. The file gets a write-ahead log.
 * - `writeKeepingJournal`: it can read and write, and leaves the journal mode of the file as it is.
 */
export type SqliteAccess = 'read' | 'write' | 'writeKeepingJournal'

/**
 * Opens a SQLite file. When a commit returns, its changes are on disk. If another process has
 * locked the file, SQLite waits for up to 5 s.
 */
export function openSqliteFile(file: string, access: SqliteAccess): DatabaseSync {
  // This is not an `import`: an old version of Node does not have the module, but must still load
  // this file. Then `requireNode()` can report that the version is too old.
  const { DatabaseSync: Sqlite } = process.getBuiltinModule('node:sqlite')
  const sqlite = new Sqlite(file, {
    readOnly: access === 'read',
    timeout: 5_000,
    enableForeignKeyConstraints: true,
  })
  try {
    if (access === 'write') sqlite.exec('pragma journal_mode = wal')
    sqlite.exec('pragma synchronous = full')
    return sqlite
  } catch (error) {
    sqlite.close()
    throw error
  }
}
