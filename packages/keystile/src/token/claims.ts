// Reads and checks the claims of a token, after its signature was verified.
import { isSeconds } from '../base/clock.ts'
import { messageOf, tokenError, type TokenError } from '../base/errors.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from '../base/json.ts'

const registeredClaims = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'] as const
const textClaims = ['iss', 'sub', 'jti'] as const
const timeClaims = ['exp', 'nbf', 'iat'] as const

/**
 * The claims of a token (RFC 7519 §4.1). Times are in seconds since 1970, and may have fractions.
 */
export interface JwtClaims {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | readonly string[]
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly jti?: string
  readonly [claim: string]: unknown
}

export interface ClaimsDemand {
  readonly issuer?: string | undefined
  /**
   * The allowed audiences: `aud` must contain one of them. For tokens without `aud`, see
   * `BindingClaim`.
   */
  readonly audience?: string | readonly string[] | BindingClaim | undefined
  readonly subject?: string | undefined
  /** The required claims besides `exp`, which is always required. */
  readonly requiredClaims?: readonly string[] | undefined
  readonly clockToleranceSeconds: number
  /** The current time in seconds since 1970. */
  readonly now: number
}

/** A claim that names the API that a token is for. Used with issuers that often omit `aud`. */
export interface BindingClaim {
  /** The name of the claim. Its value is a string or an array of strings, as for `aud`. */
  readonly claim: string
  /**
   * The allowed values. The claim must contain at least one of these values. If the token also has
   * an `aud`, the `aud` must contain at least one of these values too.
   */
  readonly values: readonly string[]
}

/** Parses claims. @throws {TokenError} if `parseJsonObject` refuses the payload */
export function parseClaims(payload: Uint8Array): JsonObject {
  try {
    return parseJsonObject(payload)
  } catch (error) {
    throw tokenError('malformed_token', { detail: `the payload is ${messageOf(error)}` })
  }
}

/**
 * Checks the claims of a token whose signature is verified, but does not compare them with the
 * clock. First checks the types of all registered claims, then `iss`, `aud`, `sub` and the required
 * claims. `exp` is always required. If no audience is expected, refuses a token with an `aud`: it
 * was issued for another API.
 *
 * Does NOT check `iat` against the clock, whether a `jti` was used before, or the app's own claims.
 *
 * @throws {TokenError} `invalid_token`
 * @see RFC 7519 §4.1 §7.2
 */
export function verifyRegisteredClaims(
  claims: JsonObject,
  demand: ClaimsDemand,
): asserts claims is JwtClaims & JsonObject & { readonly exp: number } {
  for (const name of textClaims) {
    if (claims[name] !== undefined && typeof claims[name] !== 'string')
      throw malformedClaim(`"${name}" is not a string`)
  }
  for (const name of timeClaims) {
    if (claims[name] !== undefined && !Number.isFinite(claims[name]))
      throw malformedClaim(`"${name}" is not a finite number`)
  }
  const audiences = listOf(claims, 'aud')

  if (demand.issuer !== undefined && claims['iss'] !== demand.issuer)
    throw tokenError('wrong_issuer')
  if (!isForUs(claims, audiences, demand.audience)) throw tokenError('wrong_audience')
  if (demand.subject !== undefined && claims['sub'] !== demand.subject)
    throw tokenError('wrong_subject')

  for (const name of ['exp', ...(demand.requiredClaims ?? [])]) {
    if (!Object.hasOwn(claims, name) || claims[name] === null)
      throw tokenError('missing_claim', { detail: `"${name}" is missing` })
  }
}

/**
 * Checks `nbf` and then `exp`. This must be the last check of a token, so that the reason `expired`
 * means that the token has passed all other checks.
 *
 * @throws {TokenError} `invalid_token`
 */
export function verifyTime(
  { exp, nbf }: JwtClaims & { readonly exp: number },
  demand: ClaimsDemand,
): void {
  // The comparisons are negated on purpose: with a clock that returns NaN, they refuse every token.
  if (nbf !== undefined && !(nbf <= demand.now + demand.clockToleranceSeconds))
    throw tokenError('not_yet_valid')
  if (isExpired(exp, demand.now, demand.clockToleranceSeconds)) throw tokenError('expired')
}

/**
 * Whether a token has expired: `now` has reached `exp` plus the tolerance, all in seconds (RFC 7519
 * §4.1.4).
 */
export function isExpired(exp: number, now: number, clockToleranceSeconds: number): boolean {
  return !(exp + clockToleranceSeconds > now)
}

/**
 * Refuses claims that must not be signed: a registered claim whose value is undefined, an `iss`,
 * `sub` or `jti` that is not a string, and a time that is not in seconds. A token with an `exp` in
 * milliseconds would practically never expire. A claim with the value undefined would be missing
 * from the token. Without `aud`, for example, the token would not be limited to one API.
 *
 * @throws {TypeError}
 */
export function requireClaimsToSign(claims: unknown): asserts claims is JsonObject {
  if (!isJsonObject(claims)) throw new TypeError('the claims of a JWT must be an object')

  for (const name of registeredClaims) {
    if (Object.hasOwn(claims, name) && claims[name] === undefined) {
      throw new TypeError(`the claim "${name}" is undefined: leave it out, or give it a value`)
    }
  }

  for (const name of textClaims) {
    if (claims[name] !== undefined && typeof claims[name] !== 'string')
      throw new TypeError(`"${name}" must be a string`)
  }
  for (const name of timeClaims) {
    if (claims[name] !== undefined && !isSeconds(claims[name])) {
      throw new TypeError(
        `"${name}" must be a number of seconds since 1970-01-01 UTC, not of milliseconds`,
      )
    }
  }
}

/**
 * Refuses a token that is bound to a key of its client (DPoP, mutual TLS). Its client must prove
 * that it has the key, and a `Bearer` request has no such proof: a thief could send the token.
 *
 * @throws {TokenError} with the reason `wrong_type`
 * @see RFC 7800 §3.1, RFC 9449 §6, RFC 8705 §3
 */
export function requireUnbound(claims: JwtClaims): void {
  if (claims['cnf'] === undefined) return
  throw tokenError('wrong_type', {
    detail: '"cnf" binds the token to a key, and a Bearer request does not prove that key',
  })
}

/** Makes the error for a claim of a wrong type. @param detail names the claim and what is wrong */
export function malformedClaim(detail: string): TokenError {
  return tokenError('malformed_claim', { detail })
}

/** Returns the strings of a claim; `undefined` if the token does not have the claim. */
export function listOf(claims: JsonObject, name: string): readonly string[] | undefined {
  const value = claims[name]
  if (value === undefined) return undefined
  const list = typeof value === 'string' ? [value] : value
  if (!isListOfStrings(list)) {
    throw malformedClaim(`"${name}" is neither a string nor an array of strings`)
  }
  return list
}

export function isListOfStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** Checks the types of the claims about the login. */
export function verifyLoginClaims(claims: JwtClaims): void {
  if (claims['auth_time'] !== undefined && !Number.isFinite(claims['auth_time']))
    throw malformedClaim('"auth_time" is not a finite number')
  if (claims['acr'] !== undefined && typeof claims['acr'] !== 'string')
    throw malformedClaim('"acr" is not a string')
}

/**
 * Whether a token is for one of the expected audiences. If no audience is expected, the token must
 * have no `aud`.
 */
function isForUs(
  claims: JsonObject,
  audiences: readonly string[] | undefined,
  expected: ClaimsDemand['audience'],
): boolean {
  if (expected === undefined) return audiences === undefined
  if (typeof expected === 'string') return includesAny(audiences, [expected])
  if (!('claim' in expected)) return includesAny(audiences, expected)

  // Checks the claim even if the `aud` fits: the `aud` of an ID token is a client, which may be one
  // of the values.
  const { claim, values } = expected
  return (
    includesAny(listOf(claims, claim), values) &&
    (audiences === undefined || includesAny(audiences, values))
  )
}

function includesAny(list: readonly string[] | undefined, wanted: readonly string[]): boolean {
  return list !== undefined && list.some((item) => wanted.includes(item))
}
