import { requireClock, systemClock, toSeconds, type Clock } from '../base/clock.ts'
import { tokenError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { requireKnownOptions } from '../base/options.ts'
import { findAlgorithm, listAlgorithmNames, type AlgorithmName } from '../keys/algorithm.ts'
import { isKeySet, keySetOf, type KeySet } from '../keys/jwk-set.ts'
import { canSign, type VerificationKey } from '../keys/signing-key.ts'
import {
  verifyRegisteredClaims,
  verifyTime,
  parseClaims,
  requireClaimsToSign,
  type ClaimsDemand,
  type JwtClaims,
} from './claims.ts'
import { parseJws, signJws, verifyJws } from './jws.ts'

const maxClockToleranceSeconds = 60
const defaultClockToleranceSeconds = 5

export interface SignOptions {
  /** Seconds until the token expires: sets `exp`. Required unless the claims have an `exp`. */
  readonly expiresInSeconds?: number
  /** The header's `typ`. Default: `JWT`. */
  readonly type?: string
  readonly clock?: Clock
}

export interface VerifyOptions extends Partial<Omit<ClaimsDemand, 'now'>> {
  /** Only these algorithms are used. Default: those of the keys. */
  readonly algorithms?: readonly AlgorithmName[]
  /**
   * The header's `typ` must be this, compared without case and without `application/`. Default: not
   * checked.
   */
  readonly type?: string
  /** Seconds by which the two clocks may differ, 60 at most. Default: 5. */
  readonly clockToleranceSeconds?: number
  readonly clock?: Clock
}

const verifyOptions: readonly (keyof VerifyOptions)[] = [
  'issuer',
  'audience',
  'subject',
  'requiredClaims',
  'type',
  'algorithms',
  'clockToleranceSeconds',
  'clock',
]

/**
 * Signs claims as a JWT. Sets `iat` unless given, and `exp` from `expiresInSeconds`: a token always
 * ends.
 *
 * @throws {TypeError} for claims of a wrong type, a key without a private half, or no end
 * @see RFC 7519 §7.1
 */
export function signJwt(
  claims: JwtClaims,
  key: VerificationKey,
  options: SignOptions = {},
): string {
  requireKnownOptions('signJwt', options, ['expiresInSeconds', 'type', 'clock'])
  requireClaimsToSign(claims)
  requireKey(key)
  if (!canSign(key))
    throw new TypeError('signing needs a private key or a secret; this is a public key')
  const { expiresInSeconds, type = 'JWT', clock = systemClock } = options
  const issuedAt = claims.iat ?? toSeconds(requireClock(clock).now())
  if (
    expiresInSeconds !== undefined &&
    !(Number.isFinite(expiresInSeconds) && expiresInSeconds > 0)
  ) {
    throw new TypeError('expiresInSeconds is a number above 0')
  }
  const expiresAt = expiresInSeconds === undefined ? claims.exp : issuedAt + expiresInSeconds
  if (expiresAt === undefined)
    throw new TypeError('a token needs an end: pass expiresInSeconds, or an "exp" claim')
  // Stryker disable next-line ConditionalExpression: JSON leaves out what is undefined
  const header = {
    alg: key.algorithm.name,
    ...(key.keyId !== undefined && { kid: key.keyId }),
    typ: type,
  }
  return signJws(header, JSON.stringify({ ...claims, iat: issuedAt, exp: expiresAt }), key)
}

/**
 * Verifies a JWT and returns its claims. In this order: form and size, algorithm, key, signature,
 * then `typ`, then the claims as `verifyRegisteredClaims` has it, time last. Synchronous: it never
 * waits behind other work.
 *
 * Does NOT check revocation, nor whether the subject still exists: a guard does.
 *
 * @param token untrusted
 * @param keys one key, or a set of them
 * @throws {TokenError} `invalid_token`; its `reason` says which check failed and is meant for the
 *   log
 * @throws {TypeError} for wrong options
 * @see RFC 7519 §7.2, RFC 8725 §3
 */
export function verifyJwt(
  token: string,
  keys: VerificationKey | KeySet,
  options: VerifyOptions = {},
): JwtClaims {
  return verifyJwtWithKey(token, keySetFrom(keys), options).claims
}

/**
 * `verifyJwt`, and the key that proved it.
 *
 * @param checkMore checks claims of the caller's own, before the time is looked at
 */
export function verifyJwtWithKey(
  token: string,
  keys: KeySet,
  options: VerifyOptions,
  checkMore: (claims: JwtClaims) => void = () => {},
): { claims: JwtClaims & { readonly exp: number }; key: VerificationKey } {
  requireKnownOptions('verifyJwt', options, verifyOptions)
  requireAlgorithms(options.algorithms)
  const { algorithms, type, clock = systemClock, ...demand } = options
  const clockToleranceSeconds = requireTolerance(demand.clockToleranceSeconds)
  const { header, payload, key } = verifyJws(token, keys, algorithms)
  if (type !== undefined && !isType(header['typ'], type))
    throw tokenError('wrong_type', { detail: `"typ" is not ${type}` })
  const claims = parseClaims(payload)
  const claimsDemand = { ...demand, clockToleranceSeconds, now: requireClock(clock).now() / 1000 }
  verifyRegisteredClaims(claims, claimsDemand)
  checkMore(claims)
  verifyTime(claims, claimsDemand)
  return { claims, key }
}

function keySetFrom(keys: VerificationKey | KeySet): KeySet {
  if (isKeySet(keys)) return keys
  requireKey(keys)
  return keySetOf([keys])
}

/**
 * @throws {TypeError} when a list of algorithms would allow none, or names one that does not exist
 */
export function requireAlgorithms(algorithms: readonly string[] | undefined): void {
  if (algorithms === undefined) return
  if (
    Array.isArray(algorithms) &&
    algorithms.length > 0 &&
    algorithms.every((name) => findAlgorithm(name))
  )
    return
  throw new TypeError(`algorithms is a list of at least one of ${listAlgorithmNames().join(', ')}`)
}

/** A caller without types may pass the text of a key, which no error may repeat. */
function requireKey(key: unknown): asserts key is VerificationKey {
  if (typeof key === 'object' && key !== null && 'verifyingKey' in key) return
  throw new TypeError(
    'a key comes from importKey or generateKey, and a set of keys from importJwkSet',
  )
}

/**
 * Reads a token WITHOUT proving anything: anyone can have written it. For looking at a token, never
 * for trusting one.
 *
 * @throws {TokenError} when it is no JWT at all
 */
export function decodeJwtUnsafe(token: string): { header: JsonObject; claims: JwtClaims } {
  const { header, payload } = parseJws(token)
  return { header, claims: parseClaims(payload) }
}

/**
 * @throws {TypeError} when clocks would be trusted to differ by more than a minute (RFC 7519
 *   §4.1.4)
 */
export function requireTolerance(seconds: number = defaultClockToleranceSeconds): number {
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > maxClockToleranceSeconds) {
    throw new TypeError(`clockToleranceSeconds is a number from 0 to ${maxClockToleranceSeconds}`)
  }
  return seconds
}

/**
 * RFC 8725 §3.11: `typ` tells kinds of tokens apart. A media type without case; `application/` may
 * be left out (RFC 7515 §4.1.9).
 */
function isType(typ: unknown, expected: string): boolean {
  const plain = (type: string): string => type.toLowerCase().replace(/^application\//, '')
  return typeof typ === 'string' && plain(typ) === plain(expected)
}
