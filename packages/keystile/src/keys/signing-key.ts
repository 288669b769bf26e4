import {
  constants,
  createHmac,
  sign as signWith,
  timingSafeEqual,
  verify as verifyWith,
  type KeyObject,
} from 'node:crypto'
import type { Algorithm, HmacAlgorithm } from './algorithm.ts'
import { requireSoundKey } from './shared-secret.ts'

// Everything here is synchronous on purpose. The asynchronous forms of node:crypto and all of
// WebCrypto queue in libuv's pool. Behind password hashes there, a guard would wait for logins.

/** A key that proves signatures. It is used with its one algorithm only (RFC 8725 §3.1). */
export interface VerificationKey {
  /** `kid`: which of several keys signed. */
  readonly keyId: string | undefined
  readonly algorithm: Algorithm
  /** The public half, or the shared secret. */
  readonly verifyingKey: KeyObject
}

export interface SigningKey extends VerificationKey {
  /** The private half, or the shared secret. */
  readonly signingKey: KeyObject
}

export function canSign(key: VerificationKey): key is SigningKey {
  return 'signingKey' in key
}

/** @throws {TypeError} for a shared secret that `importKey` would refuse */
export function sign(key: SigningKey, data: Uint8Array): Buffer {
  const { algorithm, signingKey } = key
  if (algorithm.keyType === 'oct') return hmac(algorithm, signingKey, data)
  return signWith(algorithm.hash, data, { key: signingKey, ...cryptoOptions(algorithm) })
}

/**
 * Whether the signature over these bytes was made with this key. Never throws for what a sender
 * controls.
 *
 * @throws {TypeError} for a shared secret that `importKey` would refuse
 */
export function verify(key: VerificationKey, data: Uint8Array, signature: Uint8Array): boolean {
  const { algorithm, verifyingKey } = key
  if (algorithm.signatureBytes !== undefined && signature.length !== algorithm.signatureBytes)
    return false
  if (algorithm.keyType === 'oct') {
    return timingSafeEqual(hmac(algorithm, verifyingKey, data), signature)
  }
  // As long as the modulus (RFC 8017 §8.1.2, §8.2.2). With PSS, OpenSSL would also accept a
  // signature whose leading zeros were dropped.
  const { modulusLength } = verifyingKey.asymmetricKeyDetails ?? {}
  if (modulusLength !== undefined && signature.length !== Math.ceil(modulusLength / 8)) return false
  return verifyWith(
    algorithm.hash,
    data,
    { key: verifyingKey, ...cryptoOptions(algorithm) },
    signature,
  )
}

function hmac(algorithm: HmacAlgorithm, key: KeyObject, data: Uint8Array): Buffer {
  return createHmac(algorithm.hash, requireSoundKey(key, algorithm)).update(data).digest()
}

function cryptoOptions(algorithm: Algorithm): {
  dsaEncoding?: 'ieee-p1363'
  padding?: number
  saltLength?: number
} {
  if (algorithm.keyType === 'EC') return { dsaEncoding: 'ieee-p1363' } // r and s side by side, RFC 7518 §3.4
  if (algorithm.saltBytes !== undefined) {
    return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltBytes }
  }
  return {}
}
