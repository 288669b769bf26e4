// Signs and verifies bytes. Everything here is synchronous on purpose: asynchronous node:crypto and
// WebCrypto queue in libuv's thread pool, where a guard would wait behind password hashes.
import {
  constants,
  createHmac,
  createSign,
  createVerify,
  sign as signWith,
  timingSafeEqual,
  verify as verifyWith,
} from 'node:crypto'
import type { Algorithm, HmacAlgorithm } from './algorithm.ts'
import { toKeyInput, type ToKeyInput } from './key-input.ts'
import type { KeyMaterial } from './key-material.ts'
import { keyObjectOf } from './key-object.ts'
import { requireSoundKey } from './shared-secret.ts'
import type { SigningKey, VerificationKey } from './signing-key.ts'

/**
 * Signs bytes.
 *
 * @param toInput converts the key to the form that the crypto functions of the runtime accept. Only
 *   tests pass `toInput`, to sign as another runtime would
 * @throws {TypeError} for a shared secret that `importKey` would refuse
 */
export function sign(
  key: SigningKey,
  data: Uint8Array,
  toInput: ToKeyInput = toKeyInput,
): Uint8Array {
  const { algorithm, signingKey } = key
  if (algorithm.keyType === 'oct') return hmac(algorithm, signingKey, data)

  const input = { ...toInput(keyObjectOf(signingKey)), ...cryptoOptions(algorithm) }
  if (algorithm.hash === null) return signWith(null, data, input)
  return createSign(algorithm.hash).update(data).sign(input)
}

/**
 * Whether the signature over these bytes was made with this key. Never throws because of the bytes
 * or the signature, which a sender controls.
 *
 * @param toInput converts the key to the form that the crypto functions of the runtime accept. Only
 *   tests pass `toInput`, to verify as another runtime would
 * @throws {TypeError} for a shared secret that `importKey` would refuse
 */
export function verify(
  key: VerificationKey,
  data: Uint8Array,
  signature: Uint8Array,
  toInput: ToKeyInput = toKeyInput,
): boolean {
  const { algorithm, verifyingKey: material } = key
  if (algorithm.signatureBytes !== undefined && signature.length !== algorithm.signatureBytes)
    return false

  if (algorithm.keyType === 'oct') {
    // Takes constant time. Otherwise the duration would show an attacker how many bytes are right.
    return timingSafeEqual(hmac(algorithm, material, data), signature)
  }

  // An RSA signature must be as long as the modulus (RFC 8017 §8.1.2, §8.2.2). For PSS, OpenSSL
  // also accepts a signature without its leading zeros, so one token would have two spellings.
  const verifyingKey = keyObjectOf(material)
  const { modulusLength } = verifyingKey.asymmetricKeyDetails ?? {}
  if (modulusLength !== undefined && signature.length !== Math.ceil(modulusLength / 8)) return false

  const input = { ...toInput(verifyingKey), ...cryptoOptions(algorithm) }
  if (algorithm.hash === null) return verifyWith(null, data, input, signature)
  // Not the one-shot `verify`: in workerd it ignores the padding, so a PS256 key would accept an
  // RS256 signature.
  return createVerify(algorithm.hash).update(data).verify(input, signature)
}

function hmac(algorithm: HmacAlgorithm, key: KeyMaterial, data: Uint8Array): Uint8Array {
  requireSoundKey(key, algorithm)
  return createHmac(algorithm.hash, keyObjectOf(key)).update(data).digest()
}

function cryptoOptions(algorithm: Algorithm): {
  dsaEncoding?: 'ieee-p1363'
  padding?: number
  saltLength?: number
} {
  // In a JWS, the signature is r followed by s (RFC 7518 §3.4). The default of OpenSSL is DER.
  if (algorithm.keyType === 'EC') return { dsaEncoding: 'ieee-p1363' }
  if (algorithm.saltBytes !== undefined) {
    return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltBytes }
  }
  return {}
}
