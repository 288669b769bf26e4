// Copies of SQLite files, for backups and restores. A copy is a draft until it is checked: then
// `moveIntoPlace` (`disk.ts`) or `replaceWith` (`sqlite-lock.ts`) gives it its name.
import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import { Kysely } from 'kysely'
import { explainFault } from '../base/file-fault.ts'
import { DatabaseUnavailableError, type Transaction } from './database.ts'
import { sync } from './disk.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

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
    const sqlite = openSqliteFile(source, 'read')
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
  const sqlite = openSqliteFile(file, 'writeKeepingJournal')
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
  const sqlite = openSqliteFile(file, 'writeKeepingJournal')
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
    const sqlite = openSqliteFile(file, 'read')
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

/** The files that SQLite keeps beside a database. */
export const companions: readonly string[] = ['-wal', '-shm', '-journal']

export function removeDraft(draft: string): void {
  for (const suffix of ['', ...companions]) rmSync(draft + suffix, { force: true })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
