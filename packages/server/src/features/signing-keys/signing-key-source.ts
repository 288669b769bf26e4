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
 * Decides where the signing key comes from: the setting `signingKey`, or the database, whose keys
 * are encrypted with `key` or with the file beside SQLite. On PostgreSQL, the safety rules require
 * one of the two settings.
 *
 * @throws {ConfigurationError} when the file beside SQLite has no usable secret, or others can read
 *   it
 */
export function findSigningKeySource({
  signingKey,
  signingAlgorithm: algorithm,
  key,
  database,
}: SigningKeyChoice): SigningKeySource {
  if (signingKey) return { signingKey: signingKeyOf(signingKey) }
  if (key !== undefined) return { algorithm, sealingSecret: key }
  // A database in memory ends with the process, so a secret for this process is enough.
  const sealingSecret =
    database === inMemory ? randomId() + randomId() : readOrCreateSealingSecret(database as string)
  return { algorithm, sealingSecret }
}
