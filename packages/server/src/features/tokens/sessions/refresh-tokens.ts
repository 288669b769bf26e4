import { randomId } from 'keystile/internal'
import { createSeal } from '../../../base/seal.ts'
import { makeSecret } from '../../../base/secret.ts'

/**
 * The two halves of a refresh token. The id finds the row of the token; the secret proves that the
 * caller holds the token. The database has only a hash of the secret, so a copy of the database
 * contains no usable token.
 */
export interface RefreshToken {
  readonly id: string
  readonly secret: string
}

// decisions/0036-ids-of-refresh-tokens.md
/**
 * Makes a token with a secret of 256 bits. The id begins with the time in seconds, in 8 hexadecimal
 * digits, so that a database adds new ids at the end of its indexes. The other 14 characters are
 * random.
 *
 * @param now in milliseconds
 */
export function makeRefreshToken(now: number): RefreshToken {
  const seconds = Math.floor(now / 1000) % 2 ** 32
  const time = seconds.toString(16).padStart(8, '0')
  return { id: time + randomId().slice(time.length), secret: makeSecret() }
}

export function writeRefreshToken({ id, secret }: RefreshToken): string {
  return `${id}.${secret}`
}

/**
 * Parses a refresh token.
 *
 * @returns `undefined` if the string is not a refresh token, for example if it is an access token,
 *   which has two dots
 */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  if (!/^[\w-]{22}\.[\w-]{43}$/.test(text)) return undefined
  return { id: text.slice(0, 22), secret: text.slice(23) }
}

/**
 * Encrypts a refresh token with the secret of its predecessor, which is the token before it. So
 * only a caller that presents the predecessor can get the successor. A copy of the database alone
 * does not reveal the successor.
 */
export function sealSuccessor(successor: RefreshToken, predecessor: RefreshToken): string {
  return sealOf(predecessor).seal(writeRefreshToken(successor), predecessor.id)
}

/**
 * Decrypts the encrypted successor of a refresh token.
 *
 * @throws {Error} if the successor was encrypted with a different token. The cause is a bug, or a
 *   change of the row by another program
 */
export function openSuccessor(sealed: string, predecessor: RefreshToken): string {
  const successor = sealOf(predecessor).open(sealed, predecessor.id)
  if (successor === undefined)
    throw new Error(
      'the stored successor of a refresh token must be encrypted with the secret of that token',
    )
  return successor
}

function sealOf({ secret }: RefreshToken): ReturnType<typeof createSeal> {
  return createSeal(secret, 'refresh token successor')
}
