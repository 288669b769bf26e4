// The file `keystile.key` beside a SQLite database, with the sealing secret. It takes the place of
// the setting `key`.

import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { randomId } from 'keystile/internal'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import { explainFault } from '../../../base/file-fault.ts'
import { isForeign, isOpenToOthers, ownFix } from '../../../feature/file-facts.ts'
import { findDatabaseFile, mayExist, type DatabaseSource } from '../../../storage/source.ts'
import { findSealingSecretFaults } from './sealing-secret-faults.ts'

export function keyFileBeside(databaseFile: string): string {
  return join(dirname(databaseFile), 'keystile.key')
}

/**
 * Returns the file whose secret replaces the setting `key`: the key file beside SQLite. Undefined
 * if `key` is set, or if the file does not exist.
 */
export function findKeyFile({
  key,
  database,
}: {
  readonly key?: unknown
  readonly database?: DatabaseSource | undefined
}): string | undefined {
  const databaseFile = key === undefined ? findDatabaseFile(database) : undefined
  const file = databaseFile === undefined ? undefined : keyFileBeside(databaseFile)
  return file !== undefined && mayExist(file) ? file : undefined
}

/**
 * Returns the secret in `keystile.key` beside a SQLite file. The first start creates the file,
 * which only its owner can read. Two processes that start at the same time get the same secret.
 *
 * @throws {ConfigurationError} if other users can read the file, if it belongs to another user or
 *   is no file, or if its content is not an acceptable secret
 */
export function readOrCreateSealingSecret(databaseFile: string): string {
  const file = keyFileBeside(databaseFile)
  const draft = `${file}.${randomId()}` // not the process id: it is 1 in every container
  try {
    writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    })
    linkSync(draft, file) // fails when the file exists, unlike a rename
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      const what = `the key file ${file} cannot be made beside the database`
      throw new ConfigurationError(explainFault(what, error), { cause: error })
    }
  } finally {
    rmSync(draft, { force: true })
  }
  return readSealingSecret(file)
}

/** @throws {ConfigurationError} as `readOrCreateSealingSecret()` does */
export function readSealingSecret(file: string): string {
  requirePrivateFile(file)
  const secret = readFileSync(file, 'utf8').trim()
  const [fault] = findSealingSecretFaults(secret)
  if (fault)
    throw new ConfigurationError(`${file} ${fault.message}; make one with: openssl rand -base64 32`)
  return secret
}

function requirePrivateFile(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (!stats)
    throw new ConfigurationError(
      `the file behind the symbolic link ${file} must exist: it decrypts all signing keys. ` +
        'Fix: restore that file from a backup, or remove the link if the database is new',
    )
  if (!stats.isFile())
    throw new ConfigurationError(
      `${file} must be a file with a key. Fix: restore the file from a backup, or remove what is ` +
        'there if the database is new',
    )
  if (isForeign(stats))
    throw new ConfigurationError(
      `${file} must not belong to another user, because it decrypts all signing keys. ` +
        `Fix: ${ownFix(file)}`,
    )
  if (process.platform !== 'win32' && isOpenToOthers(stats.mode))
    throw new ConfigurationError(
      `${file} must be readable by its owner only, because it decrypts all signing keys. ` +
        `Fix: chmod 600 ${file}`,
    )
}
