import { existsSync } from 'node:fs'
import { randomId } from 'keystile/internal'
import type { Jwk } from 'keystile/jwt'
import { ConfigurationError } from '../../base/configuration-error.ts'
import { findDatabaseFile, inMemory } from '../../storage/source.ts'
import type { Pool } from '../../storage/postgres.ts'
import { keyFileBeside, readOrCreateSealingSecret } from './sealing-secret.ts'
import { signingKeyOf, type IssuingAlgorithm } from './sealed-keys.ts'
import type { SigningKeySource } from './signing-keys.ts'

/** The settings that choose the signing key. */
export interface SigningKeyChoice {
  readonly signingKey?: Jwk | undefined
  readonly key?: string | undefined
  readonly signingAlgorithm: IssuingAlgorithm
  readonly database: string | Pool
}

/**
 * Decides where the signing key comes from. If the setting `signingKey` is given, this key signs.
 * Otherwise the keys in the database sign. They are encrypted with the setting `key` or with the
 * secret in the file beside SQLite. On PostgreSQL, the safety rules require `signingKey` or `key`.
 *
 * @throws {ConfigurationError} if the file beside SQLite has no acceptable secret, or if other
 *   users can read the file
 */
export function findSigningKeySource({
  signingKey,
  signingAlgorithm: algorithm,
  key,
  database,
}: SigningKeyChoice): SigningKeySource {
  if (signingKey) return { signingKey: signingKeyOf(signingKey) }
  if (key !== undefined) return { algorithm, sealingSecret: key }
  // A database in memory is lost when the process ends, so a new random secret is enough.
  const sealingSecret =
    database === inMemory ? randomId() + randomId() : readOrCreateSealingSecret(database as string)
  return { algorithm, sealingSecret }
}

/**
 * Returns the secret that encrypts other values than signing keys, such as the parameters of mails.
 * It is the private part of the operator's own signing key, or the secret that encrypts the keys in
 * the database. `createSeal()` derives a different key from it for each purpose.
 *
 * @throws {ConfigurationError} as `findSigningKeySource()`
 */
export function findSealingSecret(choice: SigningKeyChoice): string {
  if (choice.signingKey) return String(choice.signingKey['d'])
  const source = findSigningKeySource(choice)
  if ('signingKey' in source)
    throw new Error('without the option signingKey, the source must be a sealing secret')
  return source.sealingSecret
}

/**
 * Returns the secret that encrypts the signing keys of a database that has some. Unlike
 * `findSealingSecret()`, it never creates the file beside SQLite.
 *
 * @throws {ConfigurationError} if the file does not exist, or as `findSigningKeySource()`
 */
export function requireSealingSecret(choice: SigningKeyChoice): string {
  const file = findDatabaseFile(choice.database)
  if (choice.key === undefined && file !== undefined && !existsSync(keyFileBeside(file))) {
    throw new ConfigurationError(
      `the file ${keyFileBeside(file)} must exist: it decrypts the signing keys. ` +
        'Fix: restore it from a backup',
    )
  }
  return findSealingSecret(choice)
}
