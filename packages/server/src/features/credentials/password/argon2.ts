// argon2id hashes as PHC strings: the format of every new hash.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { derive, type Argon2Parameters } from './argon2-derive.ts'
import { decodeBase64, encodeBase64, isBase64 } from './base64.ts'

/** The first choice of OWASP's Password Storage Cheat Sheet: 19 MiB and 2 passes. */
export const defaultParameters: Argon2Parameters = { memory: 19_456, passes: 2, parallelism: 1 }

/** The lengths of salt and hash that RFC 9106 §4 recommends. */
const saltBytes = 16
const hashBytes = 32
/**
 * How much memory the verification of a stored hash may take, in KiB: 1 GiB. Without a limit, a
 * hash from another system could take all memory, or occupy all threads for minutes. An attacker
 * could then stop the server with a few logins.
 */
export const maxMemory = 1_048_576
/**
 * The largest product of memory (in KiB) and passes of a stored hash: for example 1 GiB and four
 * passes. Such a hash takes some seconds.
 */
export const maxWork: number = 4 * maxMemory

/**
 * A parsed PHC string. Salt and hash stay in base64 until they are needed, because a login parses
 * the string several times.
 */
interface Argon2Hash extends Argon2Parameters {
  readonly salt: string
  readonly hash: string
}

/**
 * Hashes a password. This function is synchronous and slow on purpose: call it only in a hash
 * thread.
 *
 * @param salt the salt of the hash that the new hash replaces, in base64. Default: a random salt
 */
export function hash(
  password: Uint8Array,
  parameters: Argon2Parameters = defaultParameters,
  salt: string = encodeBase64(randomBytes(saltBytes)),
): string {
  return format(parameters, salt, derive(password, decodeBase64(salt), hashBytes, parameters))
}

/**
 * Returns the salt of an argon2id hash, in base64. Returns undefined if the salt is too short for a
 * new hash, or if the hash is not argon2id.
 */
export function saltOf(stored: string): string | undefined {
  const salt = parse(stored)?.salt
  return salt !== undefined && decodeBase64(salt).length >= saltBytes ? salt : undefined
}

/**
 * Whether a password belongs to a hash. This function is synchronous and slow, like `hash()`.
 *
 * @throws {Error} if `isHash()` returns false for the hash
 */
export function verify(password: Uint8Array, stored: string): boolean {
  const parsed = parse(stored)
  if (!parsed) throw new Error('the stored password hash must be an argon2id PHC string')

  const [salt, expected] = [decodeBase64(parsed.salt), decodeBase64(parsed.hash)]
  return timingSafeEqual(derive(password, salt, expected.length, parsed), expected)
}

/**
 * Returns a hash that no password matches. At the login of an unknown user, the password is
 * verified against this hash, so that the duration does not reveal that the user is unknown.
 */
export function createDecoy(parameters: Argon2Parameters = defaultParameters): string {
  return format(parameters, encodeBase64(randomBytes(saltBytes)), randomBytes(hashBytes))
}

/** Whether a stored value is an argon2id hash that is not too costly to verify. */
export function isHash(stored: string): boolean {
  return parse(stored) !== undefined
}

/** Whether a hash has less memory or fewer passes than `parameters`, or is not argon2id. */
export function isOutdated(
  stored: string,
  parameters: Argon2Parameters = defaultParameters,
): boolean {
  const parsed = parse(stored)
  return !parsed || parsed.memory < parameters.memory || parsed.passes < parameters.passes
}

function format(
  { memory, passes, parallelism }: Argon2Parameters,
  salt: string,
  hash: Uint8Array,
): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${salt}$${encodeBase64(hash)}`
}

/**
 * Matches a PHC string: a salt of 8 to 64 bytes and a hash of 12 to 128 bytes, in base64 without
 * padding.
 */
const pattern = new RegExp(
  String.raw`^\$argon2id\$v=19\$m=(?<memory>\d{1,8}),t=(?<passes>\d{1,4}),p=(?<lanes>\d{1,3})` +
    String.raw`\$(?<salt>[A-Za-z0-9+/]{11,86})\$(?<hash>[A-Za-z0-9+/]{16,172})$`,
)

function parse(stored: string): Argon2Hash | undefined {
  const parts = pattern.exec(stored)?.groups
  if (!parts) return undefined

  const [memory, passes] = [Number(parts['memory']), Number(parts['passes'])]
  const parallelism = Number(parts['lanes'])
  const isPossible = passes >= 1 && parallelism >= 1 && memory >= 8 * parallelism // RFC 9106 §3.1
  if (!isPossible || memory > maxMemory || memory * passes > maxWork) return undefined

  const { salt, hash } = parts
  if (!isBase64(salt) || !isBase64(hash)) return undefined
  return { memory, passes, parallelism, salt, hash }
}
