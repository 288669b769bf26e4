// Where the signing keys come from: the setting `signingKey`, or the database.

import type { SealingSecrets } from '../../../base/seal.ts'
import { ownKeysOf, type OwnKeys } from './own-keys.ts'
import { openKeySecrets, type SecretChoice } from './sealing-secrets.ts'
import type { IssuingAlgorithm } from './signing-key.ts'

/** The settings that choose the signing keys. */
export interface SigningKeyChoice extends SecretChoice {
  readonly signingAlgorithm: IssuingAlgorithm
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
 * signs. Otherwise the keys in the database sign.
 *
 * @throws {ConfigurationError} if the file beside SQLite has no acceptable secret, or if other
 *   users can read the file
 */
export function openSigningKeySource(choice: SigningKeyChoice): SigningKeySource {
  const { signingKey, signingAlgorithm: algorithm } = choice
  if (signingKey) return { ownKeys: ownKeysOf(signingKey) }
  return { algorithm, sealingSecrets: openKeySecrets(choice) }
}
