// Copies of SQLite files: made while other processes write, checked, and moved into place.

import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type PathLike,
} from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { dirname } from 'node:path'
import { Kysely } from 'kysely'
import { explainFault } from '../base/file-fault.ts'
import { DatabaseUnavailableError, type Transaction } from './database.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import { unlessUnavailable } from './sqlite-errors.ts'

// decisions/0033-backups-and-restores.md
/**
 * Copies a SQLite database into a new file, which only its owner can read. The copy has all changes
 * that were committed before the call, and no part of a later transaction. Other processes can
 * write meanwhile. When the function returns, the copy is on disk. Blocks the thread.
 *
 * @throws {DatabaseUnavailableError} when the source cannot be read, or the copy cannot be written
 */
export function copySqliteFile(source: string, copy: string): void {
  try {
    closeSync(openSync(copy, 'wx', 0o600))
    const sqlite = openSqliteFile(source, { readOnly: true })
    try {
      sqlite.prepare('vacuum into ?').run(copy)
    } finally {
      sqlite.close()
    }
    sync(copy)
  } catch (error) {
    const message = explainFault(`${source} cannot be copied to ${copy}`, error)
    throw new DatabaseUnavailableError(message, { cause: error })
  }
}

/** Runs `change` in a transaction on a file that no other process uses. */
export async function changeSqliteFile(
  file: string,
  change: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const sqlite = openSqliteFile(file, { readOnly: false, keepsJournal: true })
  const db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
  try {
    await db.transaction().execute(change)
  } finally {
    await db.destroy()
  }
}

/**
 * Moves all changes of a SQLite file from its write-ahead log into the file, and waits until they
 * are on disk. No other process may use the file.
 *
 * @throws {DatabaseUnavailableError} when changes are left in the log
 */
export function makeSingleFile(file: string): void {
  const sqlite = openSqliteFile(file, { readOnly: false, keepsJournal: true })
  try {
    const mode = sqlite.prepare('pragma journal_mode = delete').get()?.['journal_mode']
    if (mode !== 'delete') throw new Error(`its journal mode is ${String(mode)}`)
  } catch (error) {
    throw new DatabaseUnavailableError(
      `the write-ahead log of ${file} cannot be moved into it: ${textOf(error)}`,
      { cause: error },
    )
  } finally {
    sqlite.close()
  }
  sync(file)
}

/**
 * Reads a whole SQLite file and checks its structure and its indexes.
 *
 * @returns the first fault, or undefined if the file is whole
 */
export function findDamage(file: string): string | undefined {
  try {
    const sqlite = openSqliteFile(file, { readOnly: true })
    try {
      const found = sqlite.prepare('pragma integrity_check(1)').get()?.['integrity_check']
      return found === 'ok' ? undefined : String(found)
    } finally {
      sqlite.close()
    }
  } catch (error) {
    return textOf(error)
  }
}

/**
 * Gives a finished file its final name. When the function returns, the name is on disk. After a
 * crash, the name belongs to the complete old file or to the complete new file.
 *
 * @returns false if a file with this name exists, and `mayReplace` is false
 */
export function moveIntoPlace(
  draft: string,
  file: string,
  { mayReplace }: { readonly mayReplace: boolean },
): boolean {
  if (!mayReplace && !takeName(draft, file)) return false
  if (mayReplace) renameSync(draft, file)
  syncFolderOf(file)
  return true
}

/** Moves a file to a name that is free. */
function takeName(draft: string, file: string): boolean {
  try {
    linkSync(draft, file) // unlike a rename, it fails if the file exists
    rmSync(draft)
    return true
  } catch {
    // The file exists, or the file system has no hard links.
    if (existsSync(file)) return false
    renameSync(draft, file)
    return true
  }
}

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
      sqlite = openSqliteFile(file, { readOnly: false, keepsJournal: true })
      sqlite.exec('pragma busy_timeout = 200; pragma journal_mode = delete; begin exclusive')
      return sqlite
    })
  } catch (error) {
    sqlite?.close()
    if (!(error instanceof DatabaseUnavailableError)) return 'damaged'
    if (isBusy((error.cause as { readonly errcode?: number }).errcode)) return undefined
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
    openSqliteFile(file, { readOnly: true }).close() // SQLite reads the file to set its pragma
    return false
  } catch (error) {
    return isDamage((error as { readonly errcode?: number }).errcode)
  }
}

/** The files that SQLite keeps beside a database. */
const companions = ['-wal', '-shm', '-journal']

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

/** Whether a file is a SQLite database, by its first bytes. Does NOT check the rest. */
export function isSqliteFile(file: string): boolean {
  const header = 'SQLite format 3\0'
  const bytes = Buffer.alloc(header.length)
  const opened = openSync(file, 'r')
  try {
    readSync(opened, bytes)
  } finally {
    closeSync(opened)
  }
  return bytes.toString('latin1') === header
}

/**
 * Creates the folder of a file if the folder is missing. Only its owner can open the folder.
 *
 * @throws {DatabaseUnavailableError} when the folder cannot be created
 */
export function createFolderOf(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  } catch (error) {
    const message = explainFault(`The folder of ${file} cannot be created`, error)
    throw new DatabaseUnavailableError(message, { cause: error })
  }
}

export function removeDraft(draft: string): void {
  for (const suffix of ['', ...companions]) rmSync(draft + suffix, { force: true })
}

export function sync(path: PathLike): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Waits until the names in a folder are on disk. Windows cannot do this, and need not. */
function syncFolderOf(file: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function isDamage(code = 0): boolean {
  return [11, 26].includes(code & 0xff) // SQLITE_CORRUPT, SQLITE_NOTADB
}

/** SQLITE_BUSY and SQLITE_LOCKED. */
function isBusy(code: number | undefined): boolean {
  return code !== undefined && [5, 6].includes(code & 0xff)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
