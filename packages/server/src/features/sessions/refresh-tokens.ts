import { randomId } from 'keystile/internal'
import { createSeal } from '../../base/seal.ts'
import { makeSecret } from '../../base/secret.ts'

/** A refresh token in its two halves: where its row is, and what proves it. */
export interface RefreshToken {
  readonly id: string
  readonly secret: string
}

export function makeRefreshToken(): RefreshToken {
  return { id: randomId(), secret: makeSecret() }
}

export function writeRefreshToken({ id, secret }: RefreshToken): string {
  return `${id}.${secret}`
}

/** @returns `undefined` for what is none of ours: an access token, say, has two dots */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  const [, id, secret] = /^([\w-]{22})\.([\w-]{43})$/.exec(text) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** Encrypts a successor so that only whoever shows its predecessor can be given it. */
export function sealSuccessor(successor: RefreshToken, predecessor: RefreshToken): string {
  return sealOf(predecessor).seal(writeRefreshToken(successor), predecessor.id)
}

/**
 * @throws {Error} when it was sealed under another token: a bug, or a row that somebody has changed
 */
export function openSuccessor(sealed: string, predecessor: RefreshToken): string {
  const successor = sealOf(predecessor).open(sealed, predecessor.id)
  if (successor === undefined)
    throw new Error('the sealed successor of a refresh token does not open under it')
  return successor
}

function sealOf({ secret }: RefreshToken): ReturnType<typeof createSeal> {
  return createSeal(secret, 'refresh token successor')
}
