import { findImpostor, isKnownSecret, isWeakSecret, randomId } from 'keystile/internal'
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigurationError } from '../../base/configuration-error.ts'
import { isOpenToOthers } from '../../feature/situation.ts'

const minBytes = 32
const makeOne = 'make one with: openssl rand -base64 32'

/** Why a sealing secret is unfit, by the library's rules for HMAC secrets. */
export interface SealingSecretFault {
  readonly kind: 'weak' | 'known'
  readonly message: string
}

/** Finds everything that makes a sealing secret unfit. No message repeats the secret. */
export function findSealingSecretFaults(secret: string): readonly SealingSecretFault[] {
  const bytes = Buffer.from(secret)
  const faults: SealingSecretFault[] = []
  if (isWeakSecret(bytes, minBytes)) {
    faults.push({
      kind: 'weak',
      message: `must have at least ${minBytes} random characters, 16 of them different`,
    })
  }
  if (isKnownSecret(bytes)) {
    faults.push({
      kind: 'known',
      message: 'must be one that nobody else knows; this one is from a template',
    })
  }
  const impostor = findImpostor(bytes)
  if (impostor) {
    faults.push({
      kind: 'known',
      message: `must be random; this one is ${impostor.name}, which others may know`,
    })
  }
  return faults
}

/** Where the sealing secret lies beside a SQLite file. */
export function keyFileBeside(databaseFile: string): string {
  return join(dirname(databaseFile), 'keystile.key')
}

/**
 * The secret in `keystile.key` beside a SQLite file. The first start makes it, readable by its
 * owner alone. Two processes that start at once get the same secret.
 *
 * @throws {ConfigurationError} when others can read the file, or its content is unfit as a secret
 */
export function readOrCreateSealingSecret(databaseFile: string): string {
  const file = keyFileBeside(databaseFile)
  const draft = `${file}.${randomId()}` // not the process id, which is 1 in every container
  try {
    writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    })
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
  const [fault] = findSealingSecretFaults(secret)
  if (fault) throw new ConfigurationError(`${file} ${fault.message}; ${makeOne}`)
  return secret
}
