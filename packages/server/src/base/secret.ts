import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const secretBytes = 32

/** 256 random bits as text. */
export function makeSecret(): string {
  return randomBytes(secretBytes).toString('base64url')
}

/**
 * What is stored instead of a secret that `makeSecret` made. One round of SHA-256 is enough: there is nothing to guess
 * from a list, which is all that salt and slow hashes are against. It is hashed as text, so no second spelling of it exists.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** Whether this is the secret of a hash; takes the same time wherever they differ. */
export function isSecretOf(secret: string, hash: string): boolean {
  const [shown, stored] = [Buffer.from(hashSecret(secret)), Buffer.from(hash)]
  return shown.length === stored.length && timingSafeEqual(shown, stored)
}
