import { randomId } from 'keystile/internal'
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigurationError } from '../../base/configuration-error.ts'
import { isWellKnownSecret } from './well-known-secrets.ts'

const minLength = 32
const minDifferent = 16

/** Whether it is too short, or too much alike, to have been drawn at random (RFC 8725 §3.5). */
export function isWeakSecret(secret: string): boolean {
  return secret.length < minLength || new Set(secret).size < minDifferent
}

/** What makes a sealing secret unfit, or nothing. */
export function findSealingSecretFault(secret: string): string | undefined {
  if (isWeakSecret(secret)) {
    return `the key under which signing keys are sealed has at least ${minLength} random characters; make one with: openssl rand -base64 32`
  }
  if (isWellKnownSecret(secret)) {
    return 'the key under which signing keys are sealed is one that others know, from a template; make one with: openssl rand -base64 32'
  }
  return undefined
}

/** Whether others than the owner of a file may read or write it. */
export function isOpenToOthers(mode: number): boolean {
  return (mode & 0o077) !== 0
}

/** Where the sealing secret lies beside a SQLite file. */
export function keyFileBeside(databaseFile: string): string {
  return join(dirname(databaseFile), 'keystile.key')
}

/**
 * The secret in `keystile.key` beside a SQLite file, made at the first start, readable by its owner alone. Two processes
 * that start at once get the same one.
 *
 * @throws {ConfigurationError} when others can read it, or it is no secret
 */
export function readOrCreateSealingSecret(databaseFile: string): string {
  const file = keyFileBeside(databaseFile)
  const draft = `${file}.${randomId()}` // not the process id: two containers both have 1
  try {
    writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true })
    linkSync(draft, file) // unlike a rename, this fails when the file is there
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  if (process.platform !== 'win32' && isOpenToOthers(statSync(file).mode)) {
    throw new ConfigurationError(
      `${file} can be read by others; it opens all signing keys. Mend it with: chmod 600 ${file}`,
    )
  }
  const secret = readFileSync(file, 'utf8').trim()
  const fault = findSealingSecretFault(secret)
  if (fault) throw new ConfigurationError(`${file}: ${fault}`)
  return secret
}
