import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The length of a secret. 256 bits cannot be guessed, however fast the hash is. */
const secretBytes = 32

/** Returns a new secret: 256 random bits as text. */
export function makeSecret(): string {
  return randomBytes(secretBytes).toString('base64url')
}

/**
 * Returns the hash of a secret from `makeSecret`. The database stores the hash instead of the
 * secret. One round of SHA-256 is enough: salts and slow hashes protect passwords against lists of
 * guesses, and no list contains a random secret. Hashes the base64url string and not its bytes, so
 * that only one spelling of a secret is accepted. Does NOT suit passwords.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/**
 * Whether a secret has this hash. Compares in constant time, so that an attacker cannot measure how
 * much of a guess is right.
 */
export function isSecretOf(secret: string, hash: string): boolean {
  const [given, stored] = [Buffer.from(hashSecret(secret)), Buffer.from(hash)]
  return given.length === stored.length && timingSafeEqual(given, stored)
}
