import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const secretBytes = 32

/** 256 random bits as text. */
export function makeSecret(): string {
  return randomBytes(secretBytes).toString('base64url')
}

/**
 * Returns the hash that is stored instead of a secret of `makeSecret`. One round of SHA-256 is
 * enough: salt and slow hashes are against guesses from a list, and no list has a random secret.
 * The text is hashed, not the bytes that it encodes, so a secret has exactly one spelling.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** Whether this is the secret of a hash. Takes the same time wherever the two differ. */
export function isSecretOf(secret: string, hash: string): boolean {
  const [shown, stored] = [Buffer.from(hashSecret(secret)), Buffer.from(hash)]
  return shown.length === stored.length && timingSafeEqual(shown, stored)
}
