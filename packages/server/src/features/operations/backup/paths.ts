// The paths that the commands get and choose.

import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs'
import { randomId } from 'keystile/internal'
import { ConfigurationError } from '../../../base/configuration-error.ts'

/** Returns the path of a draft: an unfinished version of this file, in the same folder. */
export function draftOf(file: string): string {
  return `${file}.${randomId()}.part`
}

/**
 * Follows a symbolic link, so that a command replaces the file and keeps the link.
 *
 * @throws {ConfigurationError} if the link leads to no file
 */
export function withoutLink(file: string): string {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return file
  if (!existsSync(file))
    throw new ConfigurationError(
      `the file behind the symbolic link ${file} must exist. ` +
        'Fix: give the path of this file instead, with --database',
    )
  return realpathSync(file)
}

/** @throws {ConfigurationError} if both paths lead to one file */
export function requireOtherFile(backup: string, database: string): void {
  if (existsSync(backup) && existsSync(database) && identityOf(backup) === identityOf(database))
    throw new ConfigurationError('the backup must be another file than the database')
}

/** Two paths with the same identity are names of one file. */
function identityOf(path: string): string {
  const { dev, ino } = statSync(path)
  return `${dev}:${ino}`
}
