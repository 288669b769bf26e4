// Signs and verifies JSON Web Tokens (RFC 7519).
import { requireClock, systemClock, toSeconds, type Clock } from '../base/clock.ts'
import { tokenError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { kindOf, requireKnownOptions } from '../base/options.ts'
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

/**
 * The maximum clock tolerance. A larger tolerance would noticeably extend the life of every token.
 */
const maxClockToleranceSeconds = 60

/**
 * The default clock tolerance. The clocks of synchronized machines differ by less than 5 seconds.
 */
const defaultClockToleranceSeconds = 5

export interface SignOptions {
  /** Seconds until the token expires; sets `exp`. Required unless the claims have an `exp`. */
  readonly expiresInSeconds?: number
  /** The header's `typ`. Default: `JWT`. */
  readonly type?: string
  readonly clock?: Clock
}

/** The options of `verifyJwt`. If `audience` is not set, a token with an `aud` is refused. */
export interface VerifyOptions extends Partial<Omit<ClaimsDemand, 'now' | 'audience'>> {
  /** The allowed audiences: `aud` must contain at least one of them. */
  readonly audience?: string | readonly string[] | undefined
  /** The allowed algorithms. Default: the algorithms of the keys. */
  readonly algorithms?: readonly AlgorithmName[]
  /**
   * The required `typ` of the header. Its case and a leading `application/` do not matter. Default:
   * any `typ`.
   */
  readonly type?: string
  /** How many seconds the clocks of issuer and verifier may differ, at most 60. Default: 5. */
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
 * Signs claims as a JWT. If the claims have no `iat`, sets it to the current time. If
 * `expiresInSeconds` is given, sets `exp`. Every token must expire: a stolen token that never
 * expires would be valid forever.
 *
 * @throws {TypeError} if a claim has a wrong type, if `key` is a public key, or if the token would
 *   never expire
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
    throw new TypeError('`expiresInSeconds` must be a number above 0')
  }

  const expiresAt = expiresInSeconds === undefined ? claims.exp : issuedAt + expiresInSeconds
  if (expiresAt === undefined)
    throw new TypeError('a token must expire: pass `expiresInSeconds`, or an "exp" claim')

  const header = {
    alg: key.algorithm.name,
    ...(key.keyId !== undefined && { kid: key.keyId }),
    typ: type,
  }
  return signJws(header, JSON.stringify({ ...claims, iat: issuedAt, exp: expiresAt }), key)
}

/**
 * Verifies a JWT and returns its claims. It checks in this order: size and form, algorithm, key,
 * signature, `typ`, the types of the claims, `iss`, `aud`, `sub`, required claims, `nbf`, `exp`. It
 * is synchronous, so it never waits for other work.
 *
 * Does NOT check whether the token was revoked or whether the subject still exists. A guard can
 * check both.
 *
 * @param token may come from an untrusted sender
 * @param keys one key, or a set of keys
 * @throws {TypeError} for wrong options
 * @throws {TokenError} `invalid_token`. The `reason` of the error says which check failed, for logs
 * @see RFC 7519 §7.2, RFC 8725 §3
 */
export function verifyJwt(
  token: string,
  keys: VerificationKey | KeySet,
  options: VerifyOptions = {},
): JwtClaims {
  return verifyJwtWithKey(token, keySetFrom(keys), options, () => {}).claims
}

/**
 * Verifies a JWT as `verifyJwt` does. Also returns the key that verified it, and what `checkMore`
 * has returned.
 *
 * @param checkMore checks further claims. It runs before `nbf` and `exp` are checked
 */
export function verifyJwtWithKey<T>(
  token: string,
  keys: KeySet,
  options: Omit<VerifyOptions, 'audience'> & Pick<ClaimsDemand, 'audience'>,
  checkMore: (claims: JwtClaims, header: JsonObject) => T,
): { claims: JwtClaims & { readonly exp: number }; key: VerificationKey; checked: T } {
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
  const checked = checkMore(claims, header)
  verifyTime(claims, claimsDemand)
  return { claims, key, checked }
}

function keySetFrom(keys: VerificationKey | KeySet): KeySet {
  if (isKeySet(keys)) return keys
  requireKey(keys)
  return keySetOf([keys])
}

/**
 * Checks a list of allowed algorithms.
 *
 * @throws {TypeError} if the list is empty, or names an unknown algorithm
 */
export function requireAlgorithms(algorithms: readonly string[] | undefined): void {
  if (algorithms === undefined) return
  if (
    Array.isArray(algorithms) &&
    algorithms.length > 0 &&
    algorithms.every((name) => findAlgorithm(name))
  )
    return

  throw new TypeError(
    `\`algorithms\` must be a list with at least one of: ${listAlgorithmNames().join(', ')}`,
  )
}

/**
 * Refuses a value that is not a key. A caller without type checks may pass the text of a key, so
 * the message never repeats the value.
 */
function requireKey(key: unknown): asserts key is VerificationKey {
  if (typeof key === 'object' && key !== null && 'verifyingKey' in key) return
  throw new TypeError(
    'a key must come from importKey() or generateKey(), and a set of keys from importJwkSet()',
  )
}

/**
 * Decodes a token WITHOUT verifying it: anyone may have written its content. Use it to look at a
 * token, never to decide anything.
 *
 * @throws {TokenError} if the text is not a JWT
 */
export function decodeJwtUnsafe(token: string): { header: JsonObject; claims: JwtClaims } {
  const { header, payload } = parseJws(token)
  return { header, claims: parseClaims(payload) }
}

/**
 * Returns the clock tolerance in seconds. The default is 5.
 *
 * @throws {TypeError} if `seconds` is not from 0 to 60. RFC 7519 §4.1.4 allows a larger tolerance
 */
export function requireTolerance(seconds: number = defaultClockToleranceSeconds): number {
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > maxClockToleranceSeconds) {
    throw new TypeError(
      `\`clockToleranceSeconds\` must be a number from 0 to ${maxClockToleranceSeconds}; ` +
        `it is ${kindOf(seconds)}`,
    )
  }
  return seconds
}

/**
 * Whether `typ` is the expected token type. Without this check, one kind of token could be used as
 * another kind, such as an ID token as an access token (RFC 8725 §3.11). `typ` is a media type: its
 * case does not matter, and `application/` may be left out (RFC 7515 §4.1.9).
 */
export function isType(typ: unknown, expected: string): boolean {
  const plain = (type: string): string => type.toLowerCase().replace(/^application\//, '')
  return typeof typ === 'string' && plain(typ) === plain(expected)
}
