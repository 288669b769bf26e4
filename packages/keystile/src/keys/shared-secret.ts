import { createSecretKey, KeyObject } from 'node:crypto'
import type { HmacAlgorithm } from './algorithm.ts'
import { findImpostor } from './impostors.ts'
import { isKnownSecret } from './known-secrets.ts'

/** Random bytes, raw or in base64, practically always have more of both. */
const minDifferentBytes = 16
const minDifferentSteps = 8

/** Secrets that were checked, or made here. */
const trusted = new WeakSet<KeyObject>()

/**
 * Why a secret is refused. A kind of its own, because a set with such a secret is refused whole.
 */
export class UnfitSecretError extends TypeError {}

/** Makes the HMAC key of a secret. @throws {UnfitSecretError} */
export type SecretKeyMaker = (secret: Uint8Array, algorithm: HmacAlgorithm) => KeyObject

/**
 * Makes the HMAC key of a secret.
 *
 * @throws {UnfitSecretError} for a URL, a public key or another mistake, and for a secret that is
 *   too short, not random, or printed in a standard, a tutorial or a template. Says what to do, and
 *   never repeats the secret
 * @see RFC 7518 §3.2, RFC 8725 §3.5
 */
export const secretKeyOf: SecretKeyMaker = (secret, algorithm) => {
  requireSound(secret, algorithm)
  return trustedSecretKey(secret, algorithm)
}

/** Checks only the length: for random bytes that were just made, and for printed test vectors. */
export const trustedSecretKey: SecretKeyMaker = (secret, algorithm) => {
  requireLength(secret, algorithm)
  const key = createSecretKey(secret)
  trusted.add(key)
  return key
}

/**
 * Checks a secret that `secretKeyOf` did not make, once: an app may make its own key object.
 *
 * @throws {TypeError} when it is no secret key
 * @throws {UnfitSecretError} as `secretKeyOf`
 */
export function requireSoundKey(key: KeyObject, algorithm: HmacAlgorithm): KeyObject {
  if (trusted.has(key)) return key
  if (!(key instanceof KeyObject) || key.type !== 'secret')
    throw new TypeError('a shared secret comes from importKey')
  requireSound(key.export(), algorithm)
  trusted.add(key)
  return key
}

/**
 * Whether a secret is too short or too regular to be random. A random secret has 16 different
 * bytes, and 8 different steps from one byte to the next: zeros, alphabets and repeated words have
 * fewer. Hex text has only 16 symbols, so there it needs both digits and letters. Words that a
 * person thought up can pass.
 */
export function isWeakSecret(secret: Uint8Array, minBytes: number): boolean {
  if (secret.length < minBytes) return true
  const steps = new Set(secret.subarray(1).map((byte, index) => byte - (secret[index] ?? 0)))
  return (
    steps.size < minDifferentSteps || !(isHex(secret) || new Set(secret).size >= minDifferentBytes)
  )
}

function isHex(secret: Uint8Array): boolean {
  const text = Buffer.from(secret)
    .toString('latin1')
    .replace(/[\s:-]/g, '')
  return /^[\da-f]+$/i.test(text) && /\d/.test(text) && /[a-f]/i.test(text)
}

function requireSound(secret: Uint8Array, algorithm: HmacAlgorithm): void {
  const impostor = findImpostor(secret)
  if (impostor) {
    throw new UnfitSecretError(
      `a secret must be random bytes; this one is ${impostor.name}, which others may know: ${impostor.instead}`,
    )
  }
  requireLength(secret, algorithm)
  const { minSecretBytes: minBytes } = algorithm
  if (isKnownSecret(secret)) {
    throw new UnfitSecretError(
      `a secret must be one that nobody else knows; this one is printed in public documentation: ${makeOne(minBytes)}`,
    )
  }
  if (isWeakSecret(secret, minBytes)) {
    throw new UnfitSecretError(
      `a secret must be random: at least ${minBytes} bytes, ${minDifferentBytes} of them different, in no order: ${makeOne(minBytes)}`,
    )
  }
}

function requireLength(secret: Uint8Array, algorithm: HmacAlgorithm): void {
  const { minSecretBytes: minBytes } = algorithm
  if (secret.length >= minBytes) return
  throw new UnfitSecretError(
    `a secret for ${algorithm.name} must have at least ${minBytes} bytes; this one has ${secret.length}: ${makeOne(minBytes)}`,
  )
}

function makeOne(bytes: number): string {
  return `make one with: openssl rand -base64 ${bytes}`
}
