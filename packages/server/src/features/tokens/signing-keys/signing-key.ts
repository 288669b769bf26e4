// A key that signs tokens: its algorithms, and how it is made and imported.

import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { canSign } from 'keystile/internal'
import {
  exportPublicJwk,
  generateKey,
  importKey,
  thumbprint,
  type Jwk,
  type SigningKey,
  type VerificationKey,
} from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'

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

export async function makeSigningKey(algorithm: IssuingAlgorithm): Promise<NamedKey> {
  return algorithm === 'RS256' ? generateRsaKey() : withKeyId(generateKey(algorithm))
}

/** Makes an RSA key on another thread, because that takes about 0.1 s. */
async function generateRsaKey(): Promise<NamedKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return signingKeyOf({ ...privateKey.export({ format: 'jwk' }), alg: 'RS256' })
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

/** Returns the key with a `kid`. If the key has no `kid`, its thumbprint becomes its `kid`. */
export function withKeyId<Key extends VerificationKey>(key: Key): Key & { readonly keyId: string } {
  return { ...key, keyId: key.keyId ?? thumbprint(exportPublicJwk(key)) }
}
