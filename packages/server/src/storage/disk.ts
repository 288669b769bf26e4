// Puts files, and the names of files, on disk, so that a crash loses neither.
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type PathLike,
} from 'node:fs'
import { dirname } from 'node:path'
import { explainFault } from '../base/file-fault.ts'
import { DatabaseUnavailableError } from './database.ts'

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
  if (mayReplace) renameSync(draft, file)
  else if (!takeName(draft, file)) return false

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

/** Waits until the contents of a file are on disk. */
export function sync(path: PathLike): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Waits until the names in a folder are on disk. Windows cannot do this, and need not. */
export function syncFolderOf(file: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
