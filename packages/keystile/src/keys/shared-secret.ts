// Makes HMAC keys from shared secrets, and refuses secrets that an attacker could know or guess.
import { createSecretKey } from 'node:crypto'
import type { HmacAlgorithm } from './algorithm.ts'
import { findImpostor } from './impostors.ts'
import type { KeyMaterial } from './key-material.ts'
import { keyObjectOf } from './key-object.ts'
import { isKnownSecret } from './known-secrets.ts'

/**
 * The minimum number of different bytes in a secret. Random bytes, raw or in base64, practically
 * always have more.
 */
const minDifferentBytes = 16
/**
 * The minimum number of different steps in a secret. A step is the difference between one byte and
 * the next, see `isWeakSecret`.
 */
const minDifferentSteps = 8

/** The keys that this file has checked or made. They need no second check. */
const trusted = new WeakSet<KeyMaterial>()

/** Thrown for a refused secret. `importJwkSet` recognizes it and refuses the whole set. */
export class UnfitSecretError extends TypeError {}

/** Makes an HMAC key from a secret. @throws {UnfitSecretError} for a refused secret */
export type SecretKeyMaker = (secret: Uint8Array, algorithm: HmacAlgorithm) => KeyMaterial

/**
 * Makes an HMAC key from a secret. With a single token, an attacker can test guesses of the secret
 * without asking the server. An attacker who finds the secret can sign tokens.
 *
 * @throws {UnfitSecretError} for a URL, a public key or another mistake, and for a secret that is
 *   too short, not random, or printed in a standard, a tutorial or a template. The message says
 *   what to do, and never repeats the secret
 * @see RFC 7518 §3.2, RFC 8725 §3.5
 */
export const secretKeyOf: SecretKeyMaker = (secret, algorithm) => {
  requireSound(secret, algorithm)
  return trustedSecretKey(secret, algorithm)
}

/**
 * Makes an HMAC key, and checks only the length of the secret. Use it for new random bytes, and in
 * tests for public test vectors.
 */
export const trustedSecretKey: SecretKeyMaker = (secret, algorithm) => {
  requireLength(secret, algorithm)
  const key = createSecretKey(secret)
  trusted.add(key)
  return key
}

/**
 * Checks a key object that the app may have made itself. Checks each object once.
 *
 * @throws {TypeError} when the object is not a secret key
 * @throws {UnfitSecretError} for a secret that `secretKeyOf` refuses
 */
export function requireSoundKey(key: KeyMaterial, algorithm: HmacAlgorithm): void {
  if (trusted.has(key)) return
  const secret = keyObjectOf(key)
  if (secret.type !== 'secret') throw new TypeError('a shared secret must come from importKey')
  requireSound(secret.export(), algorithm)
  trusted.add(key)
}

/**
 * Whether a secret is too short or too regular to be random. A random secret has at least 16
 * different bytes. It also has at least 8 different steps, which are the differences between one
 * byte and the next. Zeros, alphabets and repeated words have fewer. Hex text has only 16 symbols,
 * so instead of 16 different bytes it must have both digits and letters.
 *
 * Does NOT recognize a passphrase that a person made up.
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
      `a secret must be random bytes; this one is ${impostor.name}, which others may know. ` +
        `Fix: ${impostor.instead}`,
    )
  }

  requireLength(secret, algorithm)
  const { minSecretBytes: minBytes } = algorithm
  if (isKnownSecret(secret)) {
    throw new UnfitSecretError(
      'a secret must not be public; this one is printed in public documentation. ' +
        makeOne(minBytes),
    )
  }
  if (isWeakSecret(secret, minBytes)) {
    throw new UnfitSecretError(
      `a secret must be random: at least ${minBytes} bytes, ${minDifferentBytes} of them ` +
        `different, and not in sequence. ${makeOne(minBytes)}`,
    )
  }
}

function requireLength(secret: Uint8Array, algorithm: HmacAlgorithm): void {
  const { minSecretBytes: minBytes } = algorithm
  if (secret.length >= minBytes) return
  throw new UnfitSecretError(
    `a secret for ${algorithm.name} must have at least ${minBytes} bytes; ` +
      `this one has ${secret.length}. ${makeOne(minBytes)}`,
  )
}

function makeOne(bytes: number): string {
  return `Fix: make one with: openssl rand -base64 ${bytes}`
}
