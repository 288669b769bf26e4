import { randomId } from 'keystile/internal'
import type { Jwk, JwkSet } from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { SealingSecrets } from '../../../base/seal.ts'
import { findDatabaseFile, inMemory, mayExist } from '../../../storage/source.ts'
import type { Pool } from '../../../storage/postgres-client.ts'
import { ownKeysOf, privatePartsOf, type OwnKeys } from './own-keys.ts'
import type { IssuingAlgorithm } from './sealed-keys.ts'
import { keyFileBeside, readOrCreateSealingSecret } from './sealing-secret.ts'

export interface SigningKeyChoice {
  readonly signingKey?: Jwk | JwkSet | undefined
  readonly key?: string | undefined
  readonly previousKey?: string | undefined
  readonly signingAlgorithm: IssuingAlgorithm
  readonly database: string | Pool
}

/**
 * The source of the signing keys: the operator's own keys, or the keys that Keystile makes and
 * encrypts.
 */
export type SigningKeySource =
  | { readonly ownKeys: OwnKeys }
  | {
      readonly algorithm: IssuingAlgorithm
      readonly sealingSecrets: SealingSecrets
    }

/**
 * Decides where the signing keys come from. If the setting `signingKey` is given, its first key
 * signs. Otherwise the keys in the database sign. They are encrypted with the setting `key` or with
 * the secret in the file beside SQLite. `previousKey` can decrypt keys too. On PostgreSQL, the
 * safety rules require `signingKey` or `key`.
 *
 * @throws {ConfigurationError} if the file beside SQLite has no acceptable secret, or if other
 *   users can read the file
 */
export function findSigningKeySource(choice: SigningKeyChoice): SigningKeySource {
  const { signingKey, signingAlgorithm: algorithm } = choice
  if (signingKey) return { ownKeys: ownKeysOf(signingKey) }
  return { algorithm, sealingSecrets: openSealingSecrets(choice) }
}

/**
 * Returns the secrets that encrypt the signing keys in the database. Without the setting `key`,
 * creates the file beside SQLite if it does not exist.
 */
function openSealingSecrets({
  key,
  previousKey,
  database,
}: Pick<SigningKeyChoice, 'key' | 'previousKey' | 'database'>): SealingSecrets {
  const previous = previousKey === undefined ? [] : [previousKey]
  if (key !== undefined) return [key, ...previous]
  // A database in memory is lost when the process ends, so a new random secret is enough.
  if (database === inMemory) return [randomId() + randomId(), ...previous]
  // The safety rules have made sure that this is not PostgreSQL.
  return [readOrCreateSealingSecret(database as string), ...previous]
}

/**
 * Returns the secrets that encrypt values other than signing keys, such as the parameters of
 * mails. The secrets are the private parts of the operator's own signing keys, or the secrets that
 * encrypt the keys in the database. `createSeal()` derives a different key from them for each
 * purpose.
 *
 * @throws {ConfigurationError} for the same reasons as `findSigningKeySource()`
 */
export function findSealingSecrets(choice: SigningKeyChoice): SealingSecrets {
  const { signingKey } = choice
  return signingKey ? privatePartsOf(signingKey) : openSealingSecrets(choice)
}

/**
 * Returns the secrets that encrypt what must outlive the signing keys, such as the secrets of
 * authenticator apps: the setting `key`, or the file beside SQLite. Undefined if there is only
 * `signingKey`, which operators replace within a week.
 *
 * @throws {ConfigurationError} for the same reasons as `findSigningKeySource()`
 */
export function findLastingSecrets({
  signingKey,
  ...choice
}: SigningKeyChoice): SealingSecrets | undefined {
  const file = findDatabaseFile(choice.database)
  const hasKey =
    signingKey === undefined ||
    choice.key !== undefined ||
    (file !== undefined && mayExist(keyFileBeside(file)))
  return hasKey ? openSealingSecrets(choice) : undefined
}

/**
 * Returns the secrets that encrypt signing keys, for a database that already has signing keys.
 * Unlike `findSealingSecrets()`, this function never creates the key file beside the SQLite file.
 *
 * @throws {ConfigurationError} if the file does not exist, or for the same reasons as
 *   `findSigningKeySource()`
 */
export function requireSealingSecrets(choice: SigningKeyChoice): SealingSecrets {
  const file = findDatabaseFile(choice.database)
  if (choice.key === undefined && file !== undefined && !mayExist(keyFileBeside(file))) {
    throw new ConfigurationError(
      `the file ${keyFileBeside(file)} must exist: it decrypts the signing keys. ` +
        'Fix: restore it from a backup',
    )
  }
  return findSealingSecrets(choice)
}
