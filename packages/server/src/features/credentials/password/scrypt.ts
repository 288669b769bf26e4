// scrypt hashes of other systems, which a login verifies and then replaces with argon2id hashes.
import { scryptSync, timingSafeEqual } from 'node:crypto'
import { decodeBase64, isBase64 } from './base64.ts'

/**
 * The largest N·r·p of a stored hash. Each unit of N·r takes 128 bytes, so a hash takes at most 1
 * GiB of memory. Its verification may take some seconds.
 */
const maxWork = 2 ** 23

interface ScryptHash {
  readonly N: number
  readonly r: number
  readonly p: number
  readonly salt: string
  readonly hash: string
}

/** Whether a value is a scrypt hash of passlib or phc-scrypt that is not too costly to verify. */
export function isHash(stored: string): boolean {
  return parse(stored) !== undefined
}

/**
 * Whether a password belongs to a hash. A password that ends in a NUL byte never matches: HMAC
 * treats "a" and "a\0" as the same key. This function is synchronous and slow on purpose: call it
 * only in a hash thread.
 *
 * @throws {Error} if `isHash()` returns false for the hash
 * @see RFC 7914, RFC 2104 §2
 */
export function verify(password: Uint8Array, stored: string): boolean {
  const parsed = parse(stored)
  if (!parsed) throw new Error('the stored password hash must be a scrypt PHC string')

  const { N, r, p } = parsed
  const [salt, hash] = [decodeBase64(parsed.salt), decodeBase64(parsed.hash)]
  const maxmem = 128 * r * (N + p + 2)
  return (
    timingSafeEqual(scryptSync(password, salt, hash.length, { N, r, p, maxmem }), hash) &&
    password.at(-1) !== 0
  )
}

/**
 * Matches a PHC string: a salt of at most 128 bytes and a hash of 16 to 128 bytes, in base64
 * without padding.
 */
const pattern = new RegExp(
  String.raw`^\$scrypt\$ln=(?<ln>[1-9]\d?),r=(?<r>[1-9]\d{0,2}),p=(?<p>[1-9]\d{0,3})` +
    String.raw`\$(?<salt>[A-Za-z0-9+/]{0,172})\$(?<hash>[A-Za-z0-9+/]{22,172})$`,
)

function parse(stored: string): ScryptHash | undefined {
  const parts = pattern.exec(stored)?.groups
  if (!parts) return undefined

  const [ln, r, p] = [Number(parts['ln']), Number(parts['r']), Number(parts['p'])]
  const isPossible = ln < 16 * r // RFC 7914 §2
  if (!isPossible || 2 ** ln * r * p > maxWork) return undefined

  const { salt, hash } = parts
  if (!isBase64(salt) || !isBase64(hash)) return undefined
  return { N: 2 ** ln, r, p, salt, hash }
}
