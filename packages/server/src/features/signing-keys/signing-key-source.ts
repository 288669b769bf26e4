import { randomId } from 'keystile/internal'
import { inMemory } from '../../storage/source.ts'
import type { Pool } from '../../storage/postgres.ts'
import { readOrCreateSealingSecret } from './sealing-secret.ts'
import type { SigningKeyOptions } from './feature.ts'
import { signingKeyOf, type IssuingAlgorithm, type SigningKeySource } from './signing-keys.ts'

/** The settings that choose the signing key. */
export interface SigningKeyChoice {
  readonly signingKey?: SigningKeyOptions['signingKey'] | undefined
  readonly key?: SigningKeyOptions['key'] | undefined
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
