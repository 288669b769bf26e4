import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 bits cannot be guessed, however fast the hash is. */
const secretBytes = 32

/** Returns a new secret: 256 random bits as text. */
export function makeSecret(): string {
  return randomBytes(secretBytes).toString('base64url')
}

/**
 * Returns the hash that is stored instead of a secret of `makeSecret`. One round of SHA-256 is
 * enough: salts and slow hashes defend passwords against lists of guesses, and a random secret is
 * in no list. Hashes the text and not the bytes that it encodes, so that only one spelling of a
 * secret is accepted. Does NOT suit passwords.
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
