import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * The length of a secret, in bytes. An attacker cannot guess 256 random bits, even if the hash is
 * fast to compute.
 */
const secretBytes = 32

/** Returns a new secret: 256 random bits as a base64url string. */
export function makeSecret(): string {
  return randomBytes(secretBytes).toString('base64url')
}

/**
 * Returns the hash of a secret from `makeSecret`. The database stores the hash instead of the
 * secret. One round of SHA-256 is enough, because a random secret cannot be guessed. Passwords can
 * be guessed, so they need a salt and a slow hash: do NOT use this function for passwords. The
 * function hashes the base64url string and not the decoded bytes, so that only one spelling of a
 * secret is accepted.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/**
 * Whether a secret has this hash. The comparison takes constant time, so that an attacker cannot
 * measure how much of a guess is right.
 */
export function isSecretOf(secret: string, hash: string): boolean {
  const [given, stored] = [Buffer.from(hashSecret(secret)), Buffer.from(hash)]
  return given.length === stored.length && timingSafeEqual(given, stored)
}
