import * as crypto from 'node:crypto'
import { decodeBase64, encodeBase64, isBase64 } from './base64.ts'

/** Parameters of argon2id (RFC 9106 §3.1); memory in KiB. */
export interface Argon2Parameters {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

/** OWASP's first choice: 19 MiB, 2 passes. */
export const defaultParameters: Argon2Parameters = { memory: 19_456, passes: 2, parallelism: 1 }

const saltBytes = 16
const hashBytes = 32
/** KiB. A hash of another system must not take all memory, or block a thread for long. */
export const maxMemory = 1_048_576
/** KiB in all passes together: 4 GiB take seconds. */
export const maxWork: number = 4 * maxMemory

/** A parsed PHC string. Logins parse it several times, so salt and hash stay in base64. */
interface Argon2Hash extends Argon2Parameters {
  readonly salt: string
  readonly hash: string
}

type Derive = (
  password: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  parameters: Argon2Parameters,
) => Uint8Array

/** The prebuilt library where it loads: it takes half the time of Node's own function. */
const derive: Derive = await import('@node-rs/argon2').then(
  ({ hashRawSync }) =>
    (password, salt, outputLen, { memory, passes, parallelism }) =>
      hashRawSync(password, {
        salt,
        outputLen,
        memoryCost: memory,
        timeCost: passes,
        parallelism,
        algorithm: 2, // argon2id
        version: 1, // 0x13
      }),
  () => deriveWithNode,
)

/**
 * Hashes a password. Synchronous, and slow on purpose: call it in a hash thread only.
 *
 * @param salt in base64, of another hash of the same password; without one, a new salt
 */
export function hash(
  password: Uint8Array,
  parameters: Argon2Parameters = defaultParameters,
  salt: string = encodeBase64(crypto.randomBytes(saltBytes)),
): string {
  return format(parameters, salt, derive(password, decodeBase64(salt), hashBytes, parameters))
}

/**
 * The salt of a hash, in base64; undefined for a salt shorter than ours, or a hash of another kind.
 */
export function saltOf(stored: string): string | undefined {
  const salt = parse(stored)?.salt
  return salt !== undefined && decodeBase64(salt).length >= saltBytes ? salt : undefined
}

/**
 * Whether a password belongs to a hash. Synchronous, like `hash`.
 *
 * @throws {Error} when `isHash` is false
 */
export function verify(password: Uint8Array, stored: string): boolean {
  const parsed = parse(stored)
  if (!parsed) throw new Error('a stored password hash is no argon2id PHC string')

  const [salt, hash] = [decodeBase64(parsed.salt), decodeBase64(parsed.hash)]
  return crypto.timingSafeEqual(derive(password, salt, hash.length, parsed), hash)
}

/**
 * A hash that no password has. An unknown login is verified against it, to take as long as others.
 */
export function createDecoy(parameters: Argon2Parameters = defaultParameters): string {
  return format(
    parameters,
    encodeBase64(crypto.randomBytes(saltBytes)),
    crypto.randomBytes(hashBytes),
  )
}

/** Whether a stored value is an argon2id hash that is not too costly to verify. */
export function isHash(stored: string): boolean {
  return parse(stored) !== undefined
}

/** Whether a hash has less memory or fewer passes than these, or is of another kind. */
export function isOutdated(
  stored: string,
  parameters: Argon2Parameters = defaultParameters,
): boolean {
  const parsed = parse(stored)
  return !parsed || parsed.memory < parameters.memory || parsed.passes < parameters.passes
}

/** Node's own argon2id, for machines where the prebuilt library does not load. */
export function deriveWithNode(
  password: Uint8Array,
  nonce: Uint8Array,
  tagLength: number,
  { memory, passes, parallelism }: Argon2Parameters,
): Uint8Array {
  return crypto.argon2Sync('argon2id', {
    message: password,
    nonce,
    tagLength,
    memory,
    passes,
    parallelism,
  })
}

function format(
  { memory, passes, parallelism }: Argon2Parameters,
  salt: string,
  hash: Uint8Array,
): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${salt}$${encodeBase64(hash)}`
}

function parse(stored: string): Argon2Hash | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,172})$/.exec(
      stored,
    )
  if (!match) return undefined

  const [memory, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const isPossible = passes >= 1 && parallelism >= 1 && memory >= 8 * parallelism // RFC 9106 §3.1
  if (!isPossible || memory > maxMemory || memory * passes > maxWork) return undefined

  const [salt, hash] = match.slice(4)
  if (!isBase64(salt) || !isBase64(hash)) return undefined
  return { memory, passes, parallelism, salt, hash }
}
