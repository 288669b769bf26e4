// Keys as the database stores them: encrypted with the sealing secret.

import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { canSign } from 'keystile/internal'
import {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  importKey,
  thumbprint,
  type Jwk,
  type SigningKey,
  type VerificationKey,
} from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import { createSeal, type Seal, type SealingSecrets } from '../../../base/seal.ts'
import type { SealedKey } from '../../../feature/situation.ts'
import type { NewKey } from './tables.ts'

/**
 * The algorithms that a server can sign tokens with. All are asymmetric: an API that verifies
 * tokens must not be able to make them.
 */
export const issuingAlgorithms = ['ES256', 'EdDSA', 'RS256'] as const
export type IssuingAlgorithm = (typeof issuingAlgorithms)[number]

export type NamedKey = SigningKey & { readonly keyId: string }

export function isIssuingAlgorithm(name: string): name is IssuingAlgorithm {
  return issuingAlgorithms.some((known) => known === name)
}

export function createKeySeal(secrets: SealingSecrets): Seal {
  return createSeal(secrets, 'signing keys')
}

export function canOpen({ id, sealed }: SealedKey, secrets: SealingSecrets): boolean {
  return createKeySeal(secrets).open(sealed, id) !== undefined
}

/**
 * Imports a signing key.
 *
 * @throws {ConfigurationError} if the JWK is not a private key for one of `issuingAlgorithms`
 */
export function signingKeyOf(jwk: Jwk): NamedKey {
  const key = importKey(jwk)
  if (!canSign(key) || !isIssuingAlgorithm(key.algorithm.name)) {
    throw new ConfigurationError(
      `a signing key must be a private JWK whose "alg" is one of ${issuingAlgorithms.join(', ')}`,
    )
  }
  return withKeyId(key)
}

export async function makeSealedKey(algorithm: IssuingAlgorithm, seal: Seal): Promise<NewKey> {
  const key = algorithm === 'RS256' ? await generateRsaKey() : withKeyId(generateKey(algorithm))
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

/** Makes an RSA key on another thread: it takes about 0.1 s. */
async function generateRsaKey(): Promise<NamedKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return signingKeyOf({ ...privateKey.export({ format: 'jwk' }), alg: 'RS256' })
}

/** Returns the key with a `kid`. If the key has no `kid`, its thumbprint becomes its `kid`. */
export function withKeyId<Key extends VerificationKey>(key: Key): Key & { readonly keyId: string } {
  return { ...key, keyId: key.keyId ?? thumbprint(exportPublicJwk(key)) }
}
