// The secrets that encrypt what is stored: the signing keys (`openKeySecrets`), values that are
// needed for some days (`openValueSecrets`), and values that must last (`openLastingSecrets`).
// These three create the file beside SQLite if it is missing and needed; `findKeySecrets` and
// `requireKeySecrets` create nothing. `createSeal()` derives a different key from a secret for
// each purpose.

import { randomId } from 'keystile/internal'
import type { Jwk, JwkSet } from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { SealingSecrets } from '../../../base/seal.ts'
import type { Pool } from '../../../storage/postgres-client.ts'
import { inMemory } from '../../../storage/source.ts'
import {
  findKeyFile,
  keyFileBeside,
  readOrCreateSealingSecret,
  readSealingSecret,
} from './key-file.ts'
import { privatePartsOf } from './own-keys.ts'

/** The settings that choose the secrets. */
export interface SecretChoice {
  readonly signingKey?: Jwk | JwkSet | undefined
  readonly key?: string | undefined
  readonly previousKey?: string | undefined
  readonly database: string | Pool
}

type KeyChoice = Omit<SecretChoice, 'signingKey'>

/**
 * Returns the secrets that encrypt the signing keys in the database. Without the setting `key`,
 * creates the file beside SQLite if it does not exist.
 *
 * @throws {ConfigurationError} if the file beside SQLite has no acceptable secret, or if other
 *   users can read the file
 */
export function openKeySecrets(choice: KeyChoice): SealingSecrets {
  const { database } = choice
  const found = findKeySecrets(choice)
  if (found) return found
  // A database in memory is lost when the process ends, so a new random secret is enough.
  if (database === inMemory) return withPrevious(randomId() + randomId(), choice)
  // The safety rules have made sure that this is not PostgreSQL.
  return withPrevious(readOrCreateSealingSecret(database as string), choice)
}

/**
 * Returns the secrets that encrypt values other than signing keys, such as the parameters of
 * mails: the private parts of the operator's own signing keys, or else those of `openKeySecrets()`.
 *
 * @throws {ConfigurationError} for the same reasons as `openKeySecrets()`
 */
export function openValueSecrets(choice: SecretChoice): SealingSecrets {
  const { signingKey } = choice
  return signingKey ? privatePartsOf(signingKey) : openKeySecrets(choice)
}

/**
 * Returns the secrets that encrypt what must outlive the signing keys, such as the secrets of
 * authenticator apps. Undefined if there is only `signingKey`, which operators replace within a
 * week.
 *
 * @throws {ConfigurationError} for the same reasons as `openKeySecrets()`
 */
export function openLastingSecrets(choice: SecretChoice): SealingSecrets | undefined {
  return choice.signingKey ? findKeySecrets(choice) : openKeySecrets(choice)
}

/**
 * Returns the setting `key`, or the secret in the file beside SQLite, and then `previousKey`, which
 * can decrypt too. Undefined if there is neither `key` nor the file. Creates nothing.
 *
 * @throws {ConfigurationError} for the same reasons as `openKeySecrets()`
 */
export function findKeySecrets(choice: KeyChoice): SealingSecrets | undefined {
  const file = findKeyFile(choice)
  const current = file === undefined ? choice.key : readSealingSecret(file)
  return current === undefined ? undefined : withPrevious(current, choice)
}

/**
 * Returns the secrets that encrypt the signing keys of a database that already has some. Creates
 * nothing.
 *
 * @throws {ConfigurationError} if the file beside SQLite does not exist, or for the same reasons as
 *   `openKeySecrets()`
 */
export function requireKeySecrets(choice: KeyChoice): SealingSecrets {
  const found = findKeySecrets(choice)
  if (found) return found
  // The safety rules have made sure that this is not PostgreSQL.
  const file = keyFileBeside(choice.database as string)
  throw new ConfigurationError(
    `the file ${file} must exist: it decrypts the signing keys. Fix: restore it from a backup`,
  )
}

function withPrevious(current: string, { previousKey }: KeyChoice): SealingSecrets {
  return previousKey === undefined ? [current] : [current, previousKey]
}
