// Access tokens in the JWT profile (RFC 9068), on top of `jwt.ts`.
import { toSeconds, type Clock } from '../base/clock.ts'
import { randomId } from '../base/random.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import type { KeySet } from '../keys/jwk-set.ts'
import type { SigningKey, VerificationKey } from '../keys/signing-key.ts'
import {
  isListOfStrings,
  malformedClaim,
  requireUnbound,
  verifyLoginClaims,
  type JwtClaims,
} from './claims.ts'
import { verifyJwtWithKey, signJwt } from './jwt.ts'
import { parseScope } from './scope.ts'

/**
 * The `typ` of access tokens. ID tokens have a different `typ`, so they cannot be used as access
 * tokens (RFC 9068 §2.1).
 */
const accessTokenType = 'at+jwt'

export interface AccessTokenContent {
  readonly issuer: string
  readonly audience: string
  readonly subject: string
  readonly clientId: string
  /**
   * Missing if the client acts for itself: then no person logged in, and the client is the subject
   * of the token.
   */
  readonly sessionId?: string
  readonly scopes: readonly string[]
  /** When the person logged in, in milliseconds since 1970. */
  readonly authenticatedAt?: number
  /** How the person logged in (RFC 8176 §2). */
  readonly amr?: readonly string[] | undefined
  /** How sure the issuer is of the person (RFC 9068 §2.2.1). */
  readonly acr?: string | undefined
}

export interface AccessTokenClaims extends JwtClaims {
  readonly iss: string
  readonly sub: string
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  readonly sid?: string
  readonly auth_time?: number
  readonly acr?: string
  readonly amr?: readonly string[]
}

export interface VerifiedToken<C extends JwtClaims = AccessTokenClaims> {
  readonly claims: C
  readonly clientId: string | undefined
  readonly scopes: readonly string[]
  readonly key: VerificationKey
  /**
   * When the token expires, in seconds since 1970: at `exp`, or earlier if `maxTokenAgeSeconds` is
   * set. The clock tolerance is not included.
   */
  readonly expires: number
}

/**
 * Signs an access token of the JWT profile. It contains no personal data, because clients and logs
 * may store it. Does NOT check the content.
 *
 * @see RFC 9068 §2.2
 */
export function issueAccessToken(
  content: AccessTokenContent,
  key: SigningKey,
  lifetimeSeconds: number,
  clock: Clock,
): string {
  const claims = {
    iss: content.issuer,
    sub: content.subject,
    aud: content.audience,
    jti: randomId(),
    client_id: content.clientId,
    ...(content.sessionId !== undefined && { sid: content.sessionId }),
    scope: content.scopes.join(' '),
    ...(content.authenticatedAt !== undefined && { auth_time: toSeconds(content.authenticatedAt) }),
    ...(content.acr !== undefined && { acr: content.acr }),
    ...(content.amr && { amr: content.amr }),
  }
  return signJwt(claims, key, { expiresInSeconds: lifetimeSeconds, type: accessTokenType, clock })
}

/**
 * Verifies an access token of the JWT profile. Makes the checks of `verifyJwt`. In addition, `typ`
 * must be `at+jwt`. All required claims must be present with their types, and `sub` must not be
 * empty.
 *
 * Does NOT check whether the token was revoked.
 *
 * @throws {TokenError} `invalid_token`
 * @see RFC 9068 §2.2 §4
 */
export function verifyAccessToken(
  token: string,
  keys: KeySet,
  demand: {
    readonly issuer: string
    readonly audience: string | readonly string[]
    readonly algorithms?: readonly AlgorithmName[]
    readonly clockToleranceSeconds: number
    readonly clock: Clock
  },
): VerifiedToken {
  const options = {
    ...demand,
    type: accessTokenType,
    requiredClaims: ['iss', 'aud', 'sub', 'client_id', 'iat', 'jti'],
  }

  // The scopes are parsed before the time is checked, because `expired` must be the last reason.
  const verified = verifyJwtWithKey(token, keys, options, verifyProfileClaims)
  const { key, checked: scopes } = verified
  const claims = verified.claims as AccessTokenClaims
  return { claims, clientId: claims.client_id, scopes, key, expires: claims.exp }
}

/** Checks the types of the claims that RFC 9068 §2.2 adds to a JWT. @returns the scopes */
function verifyProfileClaims(claims: JwtClaims): readonly string[] {
  requireUnbound(claims)
  if (claims.sub === '') throw malformedClaim('"sub" is empty')
  for (const name of ['client_id', 'sid']) {
    if (claims[name] !== undefined && (typeof claims[name] !== 'string' || claims[name] === ''))
      throw malformedClaim(`"${name}" is empty or not a string`)
  }

  verifyLoginClaims(claims)
  if (claims['amr'] !== undefined && !isListOfStrings(claims['amr']))
    throw malformedClaim('"amr" is not an array of strings')

  if (claims['scope'] === undefined) return []
  const scopes = typeof claims['scope'] === 'string' ? parseScope(claims['scope']) : undefined
  if (!scopes) throw malformedClaim('"scope" is not a valid scope')
  return scopes
}
