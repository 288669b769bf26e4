import { toSeconds, type Clock } from '../base/clock.ts'
import { randomId } from '../base/random.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import type { KeySet } from '../keys/jwk-set.ts'
import type { SigningKey, VerificationKey } from '../keys/signing-key.ts'
import { malformedClaim, type JwtClaims } from './claims.ts'
import { verifyJwtWithKey, signJwt } from './jwt.ts'
import { parseScope } from './scope.ts'

/** `typ` of an access token, which no ID token, refresh token or proof has (RFC 9068 §2.1). */
const accessTokenType = 'at+jwt'

export interface AccessTokenContent {
  readonly issuer: string
  readonly audience: string
  readonly subject: string
  readonly clientId: string
  /** None where no person logged in: a client acts for itself, and is the subject. */
  readonly sessionId?: string
  readonly scopes: readonly string[]
  /** When the person proved who they are, in milliseconds. */
  readonly authenticatedAt?: number
}

/** Claims of a proved access token. */
export interface AccessTokenClaims extends JwtClaims {
  readonly iss: string
  readonly sub: string
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  readonly sid?: string
  readonly auth_time?: number
}

export interface VerifiedAccessToken {
  readonly claims: AccessTokenClaims
  readonly scopes: readonly string[]
  readonly key: VerificationKey
}

/** Signs an access token in the JWT profile. Holds no personal data. @see RFC 9068 §2.2 */
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
    // Stryker disable next-line ConditionalExpression: JSON leaves out what is undefined
    ...(content.sessionId !== undefined && { sid: content.sessionId }),
    scope: content.scopes.join(' '),
    ...(content.authenticatedAt !== undefined && { auth_time: toSeconds(content.authenticatedAt) }),
  }
  return signJwt(claims, key, { expiresInSeconds: lifetimeSeconds, type: accessTokenType, clock })
}

/**
 * Proves an access token by the JWT profile: all that `verifyJwt` checks, `typ` of `at+jwt`, and
 * every required claim in its type. `sub` is not empty.
 *
 * Does NOT check revocation.
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
): VerifiedAccessToken {
  const options = {
    ...demand,
    type: accessTokenType,
    requiredClaims: ['iss', 'aud', 'sub', 'client_id', 'iat', 'jti'],
  }
  // Stryker disable next-line ArrayDeclaration: verifyJwtWithKey sets it, or throws
  let scopes: readonly string[] = []
  const { claims, key } = verifyJwtWithKey(token, keys, options, (claims) => {
    scopes = verifyProfileClaims(claims)
  })
  return { claims: claims as AccessTokenClaims, scopes, key }
}

/** The types of what RFC 9068 §2.2 adds to a JWT. @returns the scopes */
function verifyProfileClaims(claims: JwtClaims): readonly string[] {
  if (claims.sub === '') throw malformedClaim('"sub" is empty')
  for (const name of ['client_id', 'sid']) {
    if (claims[name] !== undefined && (typeof claims[name] !== 'string' || claims[name] === ''))
      throw malformedClaim(`"${name}" is not a string with content`)
  }
  if (claims['auth_time'] !== undefined && !Number.isFinite(claims['auth_time']))
    throw malformedClaim('"auth_time" is not a finite number')
  if (claims['scope'] === undefined) return []
  const scopes = typeof claims['scope'] === 'string' ? parseScope(claims['scope']) : undefined
  if (!scopes) throw malformedClaim('"scope" is no scope value')
  return scopes
}
