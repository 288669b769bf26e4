import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { randomId } from 'keystile/internal'
import { createSeal } from '../../base/seal.ts'

/** A refresh token in its two halves: where its row is, and what proves it. */
export interface RefreshToken {
  readonly id: string
  readonly secret: string
}

const secretBytes = 32

export function makeRefreshToken(): RefreshToken {
  return { id: randomId(), secret: randomBytes(secretBytes).toString('base64url') }
}

export function writeRefreshToken({ id, secret }: RefreshToken): string {
  return `${id}.${secret}`
}

/** @returns `undefined` for what is none of ours: an access token, say, has two dots */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  const [, id, secret] = /^([\w-]{22})\.([\w-]{43})$/.exec(text) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/**
 * What is stored instead of the secret. One round of SHA-256 is enough: the secret is 256 random bits, so there is
 * nothing to guess from a list, which is all that salt and slow hashes are against. It is hashed as text, so no second
 * spelling of it exists.
 */
export function hashSecret({ secret }: RefreshToken): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** Whether the token has the secret of this hash; takes the same time wherever they differ. */
export function hasSecretOf(token: RefreshToken, secretHash: string): boolean {
  const [shown, stored] = [Buffer.from(hashSecret(token)), Buffer.from(secretHash)]
  return shown.length === stored.length && timingSafeEqual(shown, stored)
}

/** Encrypts a successor so that only whoever shows its predecessor can be given it. */
export function sealSuccessor(successor: RefreshToken, predecessor: RefreshToken): string {
  return sealOf(predecessor).seal(writeRefreshToken(successor), predecessor.id)
}

/** @throws {Error} when it was sealed under another token: a bug, or a row that somebody has changed */
export function openSuccessor(sealed: string, predecessor: RefreshToken): string {
  const successor = sealOf(predecessor).open(sealed, predecessor.id)
  if (successor === undefined) throw new Error('the sealed successor of a refresh token does not open under it')
  return successor
}

function sealOf({ secret }: RefreshToken): ReturnType<typeof createSeal> {
  return createSeal(secret, 'refresh token successor')
}
