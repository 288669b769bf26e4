// Access tokens that are plain JWTs (`typ: JWT`), as most issuers sign them. RFC 9068 tokens are in
// `access-token.ts`.
import type { Clock } from '../base/clock.ts'
import { tokenError, type TokenError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import type { KeySet } from '../keys/jwk-set.ts'
import type { VerifiedToken } from './access-token.ts'
import {
  isExpired,
  listOf,
  malformedClaim,
  requireUnbound,
  verifyLoginClaims,
  type BindingClaim,
  type JwtClaims,
} from './claims.ts'
import { isType, verifyJwtWithKey } from './jwt.ts'
import { parseScope } from './scope.ts'

/** The claims of a verified token of any issuer. Many issuers omit the optional claims. */
export interface PlainTokenClaims extends JwtClaims {
  readonly iss: string
  readonly sub: string
  readonly exp: number
  readonly client_id?: string
  readonly sid?: string
  readonly auth_time?: number
  readonly acr?: string
}

/** The claim that has the scopes, or a function that returns the scopes of a token. */
export type ScopesFrom =
  | 'scope'
  | 'scp'
  | 'permissions'
  | ((claims: JwtClaims) => readonly string[])

export interface PlainTokenDemand {
  readonly issuer: string
  readonly audience: readonly string[] | BindingClaim
  readonly algorithms?: readonly AlgorithmName[]
  /** The clients whose tokens are accepted; `undefined` for any client. */
  readonly clients: readonly string[] | undefined
  readonly scopesFrom: ScopesFrom
  /** The maximum number of seconds since `iat`; `undefined` for no maximum. */
  readonly maxTokenAgeSeconds: number | undefined
  readonly clockToleranceSeconds: number
  readonly clock: Clock
}

/**
 * The claims in which issuers write the client: `client_id` in RFC 9068, `azp` in OpenID Connect
 * and Entra v2, `cid` in Okta, `appid` in Entra v1.
 */
const clientClaims = ['client_id', 'azp', 'cid', 'appid'] as const

/** Claims that access tokens do not have. */
const foreignClaims = [
  // ID tokens: OpenID Connect Core §2, §3.3.2.11; FAPI 1.0 part 2 §5.1.1; CIBA §10.3.1
  'nonce',
  'at_hash',
  'c_hash',
  's_hash',
  'urn:openid:params:jwt:claim:rt_hash',
  'urn:openid:params:jwt:claim:auth_req_id',
  'events', // logout tokens and other events: RFC 8417 §2.2
  'token_introspection', // answers of an introspection: RFC 9701 §5
  'ati', // refresh tokens of Spring Security OAuth
] as const

/** The claims in which some issuers and apps name the kind of a token. Keycloak uses `typ`. */
const typeClaims = ['typ', 'type', 'token_type', 'tokenType', 'token_kind', 'use'] as const

/**
 * Verifies an access token of an issuer that does not follow RFC 9068. Makes the checks of
 * `verifyJwt`. In addition, `typ` must be `JWT`, `at+jwt` or absent. `iss`, `sub` and `exp` must be
 * present. Refuses a token whose claims show that it is an ID token, a refresh token or a logout
 * token. Without `clients`, also refuses a token whose `aud` is the client of the token: an ID
 * token has such an `aud`.
 *
 * Does NOT check whether the token was revoked. Cannot recognize an ID token if its `aud` is an API
 * and none of its claims shows the kind of token.
 *
 * @throws {TokenError} `invalid_token`
 * @throws {TypeError} if the function `scopesFrom` returns anything but an array of strings
 * @see RFC 7519 §7.2, RFC 8725 §3.11 §3.12
 */
export function verifyPlainToken(
  token: string,
  keys: KeySet,
  demand: PlainTokenDemand,
): VerifiedToken<PlainTokenClaims> {
  const { clients, scopesFrom, maxTokenAgeSeconds, ...rest } = demand
  const options = {
    ...rest,
    requiredClaims: ['iss', 'sub', ...(maxTokenAgeSeconds === undefined ? [] : ['iat'])],
  }
  const now = demand.clock.now() / 1000

  // Everything but the time is checked first, because `expired` must be the last reason.
  const verified = verifyJwtWithKey(token, keys, options, (claims, header) => {
    requireAccessToken(claims, header)
    requireClient(claims, clients)
    requireTypes(claims)
    const scopes = scopesOf(claims, scopesFrom)
    if (maxTokenAgeSeconds !== undefined) requireIssued(claims.iat, now, demand)
    return scopes
  })
  const { claims, key, checked: scopes } = verified

  // The cache keeps a token until this time, so a cached token also becomes too old.
  const expires = Math.min(claims.exp, (claims.iat ?? Infinity) + (maxTokenAgeSeconds ?? Infinity))
  if (isExpired(expires, now, demand.clockToleranceSeconds)) {
    throw tokenError('expired', { detail: 'the token is older than `maxTokenAgeSeconds`' })
  }
  return {
    claims: claims as PlainTokenClaims,
    clientId: clientsOf(claims)[0],
    scopes,
    key,
    expires,
  }
}

function requireAccessToken(claims: JwtClaims, header: JsonObject): void {
  requireUnbound(claims)

  const { typ } = header
  if (typ !== undefined && !isType(typ, 'JWT') && !isType(typ, 'at+jwt'))
    throw wrongType('"typ" is neither JWT nor at+jwt')

  const foreign = foreignClaims.find((name) => claims[name] !== undefined)
  if (foreign) throw wrongType(`an access token has no "${foreign}": this is another kind of token`)

  for (const name of typeClaims) {
    const type = claims[name]
    if (type !== undefined && typeof type !== 'string')
      throw malformedClaim(`"${name}" is not a string`)
    if (type !== undefined && isForeignType(type))
      throw wrongType(`the claim "${name}" says that this is not an access token`)
  }

  // Cognito writes this claim. Its documentation says that an API must demand exactly this value.
  if (claims['token_use'] !== undefined && claims['token_use'] !== 'access')
    throw wrongType('"token_use" is not access')
}

/**
 * Whether a word of a type shows that a token is not an access token, as in `ID`, `Serialized-ID`,
 * `rt`, `refresh_jwt` and `RefreshToken`.
 */
function isForeignType(type: string): boolean {
  const words = type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
  return /(?<![a-z])(id|rt|refresh|offline|logout)(token|jwt)?(?![a-z])/i.test(words)
}

/**
 * Refuses a token of a client that is not in `clients`. Without this list, refuses a token whose
 * `aud` is its own client. ID tokens have such an `aud`, and every client of the issuer can get an
 * ID token.
 */
function requireClient(claims: JwtClaims, clients: readonly string[] | undefined): void {
  for (const name of clientClaims) {
    const client = claims[name]
    if (client !== undefined && (typeof client !== 'string' || client === ''))
      throw malformedClaim(`"${name}" is empty or not a string`)
  }

  const named = clientsOf(claims)
  if (clients) {
    // Checks all named clients, because an issuer may write two and mean the second.
    if (named.length === 0 || !named.every((client) => clients.includes(client)))
      throw tokenError('wrong_client')
  } else if (listOf(claims, 'aud')?.some((audience) => named.includes(audience))) {
    throw wrongType('"aud" names the client of the token, as in an ID token; see `clients`')
  }
}

/**
 * Returns the values of all claims that can name the client. The first of these values is the
 * client.
 */
function clientsOf(claims: JwtClaims): readonly string[] {
  return clientClaims.map((name) => claims[name]).filter((value) => typeof value === 'string')
}

/** Checks the types of the claims that the identity is made of. */
function requireTypes(claims: JwtClaims): void {
  if (claims.sub === '') throw malformedClaim('"sub" is empty')
  if (claims['sid'] !== undefined && (typeof claims['sid'] !== 'string' || claims['sid'] === ''))
    throw malformedClaim('"sid" is empty or not a string')
  verifyLoginClaims(claims)
}

/** Returns the scopes. Issuers write them as one string with spaces, or as an array. */
function scopesOf(claims: JwtClaims, from: ScopesFrom): readonly string[] {
  if (typeof from === 'function') {
    const returned: unknown = from(claims)
    if (Array.isArray(returned)) {
      // Checks the copy, because an unusual array may return other values when it is read again.
      const scopes: unknown[] = [...returned]
      if (scopes.every((scope) => typeof scope === 'string')) return scopes
    }
    throw new TypeError('the function `scopesFrom` must return an array of strings')
  }

  const value = claims[from]
  const scopes = typeof value === 'string' ? parseScope(value) : (listOf(claims, from) ?? [])
  if (!scopes) throw malformedClaim(`"${from}" is not a valid scope`)
  return [...scopes]
}

/**
 * Refuses a token with an `iat` in the future. Such a token would be accepted for longer than
 * `maxTokenAgeSeconds`.
 */
function requireIssued(
  issuedAt: number | undefined,
  now: number,
  { clockToleranceSeconds }: PlainTokenDemand,
): void {
  // Negated on purpose, as in `verifyTime`.
  if (!(Number(issuedAt) <= now + clockToleranceSeconds))
    throw tokenError('not_yet_valid', { detail: '"iat" is in the future' })
}

function wrongType(detail: string): TokenError {
  return tokenError('wrong_type', { detail })
}
