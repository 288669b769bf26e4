// Keys as the database stores them: encrypted with the sealing secret.

import { exportPrivateJwk, type Jwk } from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import { createSeal, type Seal, type SealingSecrets } from '../../../base/seal.ts'
import type { SealedKey } from '../../../feature/situation.ts'
import {
  makeSigningKey,
  signingKeyOf,
  type IssuingAlgorithm,
  type NamedKey,
} from './signing-key.ts'
import type { NewKey } from './tables.ts'

export function createKeySeal(secrets: SealingSecrets): Seal {
  return createSeal(secrets, 'signing keys')
}

export function canOpen({ id, sealed }: SealedKey, secrets: SealingSecrets): boolean {
  return createKeySeal(secrets).open(sealed, id) !== undefined
}

export async function makeSealedKey(algorithm: IssuingAlgorithm, seal: Seal): Promise<NewKey> {
  const key = await makeSigningKey(algorithm)
  const id = key.keyId
  return { id, algorithm, sealed_jwk: seal.seal(JSON.stringify(exportPrivateJwk(key)), id) }
}

/**
 * Decrypts a stored key. The encryption also authenticates the id of the row, so a key cannot be
 * moved to a different row.
 *
 * @throws {ConfigurationError} if the key was encrypted with a different secret
 */
export function openSealedKey(row: Pick<NewKey, 'id' | 'sealed_jwk'>, seal: Seal): NamedKey {
  const jwk = seal.open(row.sealed_jwk, row.id)
  if (jwk === undefined) {
    throw new ConfigurationError(
      'the signing keys in this database were encrypted with a different key. Fix: give the key ' +
        '(or the file keystile.key) that was used when the signing keys were made',
    )
  }
  return signingKeyOf(JSON.parse(jwk) as Jwk)
}
