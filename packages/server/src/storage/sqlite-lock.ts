// Replaces a SQLite database by a restored one, while no process has it open.
import { existsSync, linkSync, renameSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { DatabaseUnavailableError } from './database.ts'
import { syncFolderOf } from './disk.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { companions } from './sqlite-copy.ts'
import { isBusy, isDamage, unlessUnavailable } from './sqlite-errors.ts'

/** A SQLite file that is locked: no other process has the file open or can open it. */
export interface LockedFile {
  /** Whether the file is damaged. SQLite cannot lock such a file. */
  readonly isDamaged: boolean
  /**
   * Puts the file `draft` in the place of this file, and keeps this file under the name `aside`,
   * which must be free. The write-ahead log of the old file stays with the old file: beside the new
   * file, the log would damage the new file.
   */
  replaceWith(draft: string, aside: string): void
  release(): void
}

/**
 * Locks a SQLite file. First moves all changes from its write-ahead log into the file, which SQLite
 * allows only while no other connection exists.
 *
 * @returns undefined if another process has the file open
 * @throws {DatabaseUnavailableError} when the file cannot be used now
 */
export function lockSqliteFile(file: string): LockedFile | undefined {
  const lock = takeLock(file)
  return (
    lock && {
      isDamaged: lock === 'damaged',
      replaceWith(draft, aside) {
        keepAside(file, aside)
        renameSync(draft, file)
        syncFolderOf(file)
      },
      release: () => lock !== 'damaged' && lock.close(),
    }
  )
}

function takeLock(file: string): DatabaseSync | 'damaged' | undefined {
  if (isUnreadable(file)) return 'damaged'

  let sqlite: DatabaseSync | undefined
  try {
    return unlessUnavailable(() => {
      sqlite = openSqliteFile(file, 'writeKeepingJournal')
      sqlite.exec('pragma busy_timeout = 200; pragma journal_mode = delete; begin exclusive')
      return sqlite
    })
  } catch (error) {
    sqlite?.close()
    if (!(error instanceof DatabaseUnavailableError)) return 'damaged'
    if (isBusy(error.cause)) return undefined
    throw error
  }
}

/**
 * Whether SQLite cannot read the file, because the file is damaged or is not a database. Uses a
 * connection that only reads: a connection that writes would change the file, and would delete the
 * log of the file when it closes.
 */
function isUnreadable(file: string): boolean {
  try {
    openSqliteFile(file, 'read').close() // SQLite reads the file to set its pragma
    return false
  } catch (error) {
    return isDamage(error)
  }
}

function keepAside(file: string, aside: string): void {
  for (const companion of companions)
    if (existsSync(file + companion)) renameSync(file + companion, aside + companion)
  try {
    // With a second name, there is a database at every moment: without one, a server that starts
    // would create an empty database.
    linkSync(file, aside)
  } catch {
    renameSync(file, aside) // the file system has no hard links
  }
}
