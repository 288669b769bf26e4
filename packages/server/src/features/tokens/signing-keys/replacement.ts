// The key that replaces all stored keys.

import type { Database } from '../../../storage/database.ts'
import { createKeySeal, makeSealedKey, openSealedKey } from './sealed-keys.ts'
import { requireKeySecrets } from './sealing-secrets.ts'
import type { SigningKeyChoice } from './signing-key-source.ts'
import { listSigningKeyRows } from './store.ts'
import type { NewKey } from './tables.ts'

/**
 * Makes a key that can replace all stored keys. First decrypts the stored keys, to check the
 * secret: with a different secret, the server could not decrypt the new key.
 *
 * @returns undefined if there are no stored keys, or if the operator's own key signs
 * @throws {ConfigurationError} if a key was encrypted with a different secret
 */
export async function makeReplacement(
  { reader }: Pick<Database, 'reader'>,
  options: SigningKeyChoice,
): Promise<NewKey | undefined> {
  const stored = await listSigningKeyRows(reader)
  if (stored.length === 0 || options.signingKey) return undefined

  const seal = createKeySeal(requireKeySecrets(options))
  for (const row of stored) openSealedKey(row, seal)
  return makeSealedKey(options.signingAlgorithm, seal)
}
