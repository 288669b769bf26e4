import { scryptSync, timingSafeEqual } from 'node:crypto'
import { decodeBase64, isBase64 } from './base64.ts'

/** N·r·p. Each N·r takes 128 bytes, so this is 1 GiB, and takes seconds. */
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
 * Whether a password belongs to a hash. A password that ends in a NUL byte never does: to HMAC, "a"
 * and "a\0" are one key. Synchronous, and slow on purpose: call it in a hash thread only.
 *
 * @throws {Error} when `isHash` is false
 * @see RFC 7914, RFC 2104 §2
 */
export function verify(password: Uint8Array, stored: string): boolean {
  const parsed = parse(stored)
  if (!parsed) throw new Error('a stored password hash is no scrypt PHC string')

  const { N, r, p } = parsed
  const [salt, hash] = [decodeBase64(parsed.salt), decodeBase64(parsed.hash)]
  const maxmem = 128 * r * (N + p + 2)
  return (
    timingSafeEqual(scryptSync(password, salt, hash.length, { N, r, p, maxmem }), hash) &&
    password.at(-1) !== 0
  )
}

function parse(stored: string): ScryptHash | undefined {
  const match =
    /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d{0,2}),p=([1-9]\d{0,3})\$([A-Za-z0-9+/]{0,172})\$([A-Za-z0-9+/]{22,172})$/.exec(
      stored,
    )
  if (!match) return undefined

  const [ln, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const isPossible = ln < 16 * r // RFC 7914 §2
  if (!isPossible || 2 ** ln * r * p > maxWork) return undefined

  const [salt, hash] = match.slice(4)
  if (!isBase64(salt) || !isBase64(hash)) return undefined
  return { N: 2 ** ln, r, p, salt, hash }
}
