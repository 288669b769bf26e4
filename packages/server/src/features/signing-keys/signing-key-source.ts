import { randomId } from 'keystile/internal'
import { inMemory } from '../../storage/source.ts'
import type { Pool } from '../../storage/postgres.ts'
import { readOrCreateSealingSecret } from './sealing-secret.ts'
import type { SigningKeyOptions } from './feature.ts'
import { signingKeyOf, type IssuingAlgorithm, type SigningKeySource } from './signing-keys.ts'

/** What the options say of the signing key. */
export interface SigningKeyChoice {
  readonly signingKey?: SigningKeyOptions['signingKey'] | undefined
  readonly key?: SigningKeyOptions['key'] | undefined
  readonly signingAlgorithm: IssuingAlgorithm
  readonly database: string | Pool
}

/**
 * Finds where the signing key comes from. On PostgreSQL, a rule of safety demands a key.
 *
 * @throws {ConfigurationError} when the file beside SQLite holds no secret, or others can read it
 */
export function findSigningKeySource({
  signingKey,
  signingAlgorithm: algorithm,
  key,
  database,
}: SigningKeyChoice): SigningKeySource {
  if (signingKey) return { signingKey: signingKeyOf(signingKey) }
  if (key !== undefined) return { algorithm, sealingSecret: key }
  // A memory database keeps nothing, so its keys need no secret that outlives it.
  const sealingSecret =
    database === inMemory ? randomId() + randomId() : readOrCreateSealingSecret(database as string)
  return { algorithm, sealingSecret }
}
