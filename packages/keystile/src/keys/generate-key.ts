import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import type { Algorithm, AlgorithmName, HmacAlgorithm } from './algorithm.ts'
import { requireAlgorithm, withKeyId } from './jwk.ts'
import { trustedSecretKey } from './shared-secret.ts'
import type { SigningKey } from './signing-key.ts'

/**
 * Makes a new key. Its default `keyId` is its thumbprint.
 *
 * @throws {TypeError} for an unknown algorithm
 */
export function generateKey(
  algorithm: AlgorithmName,
  options: { readonly keyId?: string } = {},
): SigningKey {
  const known = requireAlgorithm(algorithm)
  const { keyId } = options
  if (known.keyType === 'oct') {
    const secret = trustedSecretKey(randomBytes(known.minSecretBytes), known)
    return withKeyId({ keyId, algorithm: known, verifyingKey: secret, signingKey: secret })
  }

  const { publicKey, privateKey } = generatePair(known)
  return withKeyId({ keyId, algorithm: known, verifyingKey: publicKey, signingKey: privateKey })
}

function generatePair(algorithm: Exclude<Algorithm, HmacAlgorithm>): {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
} {
  if (algorithm.keyType === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (algorithm.keyType === 'EC') return generateKeyPairSync('ec', { namedCurve: algorithm.curve })
  return generateKeyPairSync('ed25519')
}
