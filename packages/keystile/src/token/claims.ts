import { messageOf, tokenError, type TokenError } from '../base/errors.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from '../base/json.ts'
import { isSeconds } from '../base/clock.ts'

const registeredClaims = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'] as const

/**
 * The claims of a token (RFC 7519 §4.1). Instants are seconds since 1970, perhaps with a fraction.
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
  /** `iss` must be exactly this. */
  readonly issuer?: string | undefined
  /** `aud` must contain one of these. */
  readonly audience?: string | readonly string[] | undefined
  /** `sub` must be exactly this. */
  readonly subject?: string | undefined
  /** Claims that are required besides `exp`, which always is. */
  readonly requiredClaims?: readonly string[] | undefined
  /** Seconds by which the two clocks may differ. */
  readonly clockToleranceSeconds: number
  /** Seconds since the epoch. */
  readonly now: number
}

/** @throws {TokenError} unless the bytes are an unambiguous JSON object in UTF-8 */
export function parseClaims(payload: Uint8Array): JsonObject {
  try {
    return parseJsonObject(payload)
  } catch (error) {
    throw tokenError('malformed_token', { detail: `the payload is ${messageOf(error)}` })
  }
}

/**
 * Checks a proved payload, except its time: the types of all registered claims first, then `iss`,
 * `aud`, `sub`, and required claims. `exp` is always required. A token with an `aud` is refused if
 * no audience is expected.
 *
 * Does NOT check `iat` against the clock, `jti` against earlier ones, nor the app's own claims.
 *
 * @throws {TokenError} `invalid_token`
 * @see RFC 7519 §4.1 §7.2
 */
export function verifyRegisteredClaims(
  claims: JsonObject,
  demand: ClaimsDemand,
): asserts claims is JwtClaims & JsonObject & { readonly exp: number } {
  for (const name of ['iss', 'sub', 'jti']) {
    if (claims[name] !== undefined && typeof claims[name] !== 'string')
      throw malformedClaim(`"${name}" is not a string`)
  }
  for (const name of ['exp', 'nbf', 'iat']) {
    if (claims[name] !== undefined && !Number.isFinite(claims[name]))
      throw malformedClaim(`"${name}" is not a finite number`)
  }
  const audiences = audiencesOf(claims['aud'])
  if (demand.issuer !== undefined && claims['iss'] !== demand.issuer)
    throw tokenError('wrong_issuer')
  if (!isForUs(audiences, demand.audience)) throw tokenError('wrong_audience')
  if (demand.subject !== undefined && claims['sub'] !== demand.subject)
    throw tokenError('wrong_subject')
  for (const name of ['exp', ...(demand.requiredClaims ?? [])]) {
    if (!Object.hasOwn(claims, name) || claims[name] === null)
      throw tokenError('missing_claim', { detail: `"${name}" is missing` })
  }
}

/**
 * Checks `nbf`, and `exp` last. All other checks come before, so that the reason `expired` means
 * that only the time is wrong.
 *
 * @throws {TokenError} `invalid_token`
 */
export function verifyTime(
  { exp, nbf }: JwtClaims & { readonly exp: number },
  demand: ClaimsDemand,
): void {
  // Written so that a clock that returns NaN refuses every token.
  if (nbf !== undefined && !(nbf <= demand.now + demand.clockToleranceSeconds))
    throw tokenError('not_yet_valid')
  if (isExpired(exp, demand.now, demand.clockToleranceSeconds)) throw tokenError('expired')
}

/** Whether the time is at or after `exp`, plus the tolerance (RFC 7519 §4.1.4). */
export function isExpired(exp: number, now: number, clockToleranceSeconds: number): boolean {
  return !(exp + clockToleranceSeconds > now)
}

/**
 * Checks claims that an app signs. An `exp` in milliseconds would never come, and an `aud` without
 * a value would be missing in the token.
 *
 * @throws {TypeError}
 */
export function requireClaimsToSign(claims: unknown): asserts claims is JsonObject {
  if (!isJsonObject(claims)) throw new TypeError('the claims of a JWT are an object')
  for (const name of registeredClaims) {
    if (Object.hasOwn(claims, name) && claims[name] === undefined) {
      throw new TypeError(`the claim "${name}" is undefined: leave it out, or give it a value`)
    }
  }
  for (const name of ['iss', 'sub', 'jti']) {
    if (claims[name] !== undefined && typeof claims[name] !== 'string')
      throw new TypeError(`"${name}" must be a string`)
  }
  for (const name of ['exp', 'nbf', 'iat']) {
    if (claims[name] !== undefined && !isSeconds(claims[name])) {
      throw new TypeError(
        `"${name}" must be a number of seconds since 1970-01-01 UTC, not of milliseconds`,
      )
    }
  }
}

/** @param detail names the claim, and what it is not */
export function malformedClaim(detail: string): TokenError {
  return tokenError('malformed_claim', { detail })
}

function audiencesOf(aud: unknown): readonly string[] | undefined {
  if (aud === undefined) return undefined
  const audiences = typeof aud === 'string' ? [aud] : aud
  if (!Array.isArray(audiences) || !audiences.every((item) => typeof item === 'string')) {
    throw malformedClaim('"aud" is neither a string nor an array of strings')
  }
  return audiences
}

function isForUs(
  audiences: readonly string[] | undefined,
  expected: string | readonly string[] | undefined,
): boolean {
  if (expected === undefined) return audiences === undefined
  const ours = typeof expected === 'string' ? [expected] : expected
  return audiences !== undefined && audiences.some((audience) => ours.includes(audience))
}
