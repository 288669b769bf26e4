// The options of a verifier that say which tokens of a trusted issuer it accepts.
import type { Clock } from '../base/clock.ts'
import { kindOf } from '../base/options.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import type { KeySet } from '../keys/jwk-set.ts'
import { verifyAccessToken, type VerifiedToken } from '../token/access-token.ts'
import type { BindingClaim } from '../token/claims.ts'
import { verifyPlainToken, type PlainTokenClaims, type ScopesFrom } from '../token/plain-token.ts'
import type { TokenType } from './identity.ts'

export interface TokenRules<T extends TokenType = TokenType> {
  /**
   * The kind of access token. Default: `at+jwt`, the tokens of RFC 9068. With `JWT`, the verifier
   * also accepts tokens of issuers that do not follow RFC 9068. It then recognizes ID tokens and
   * refresh tokens by their claims, and refuses them.
   */
  readonly tokenType?: T
  /**
   * The names of this API. The `aud` of a token must contain at least one of them. With
   * `tokenType: 'JWT'`, `audience` may also be `{ claim, values }`, for an issuer that often omits
   * `aud`: the named claim must contain one of the values. If a token does have an `aud`, its `aud`
   * must contain one of the values as well.
   */
  readonly audience: string | readonly string[] | BindingClaim
  /**
   * Accepts only tokens of these clients. Default: accepts tokens of all clients, but refuses a
   * token if its `aud` contains the client of the token, as in ID tokens. Only with
   * `tokenType: 'JWT'`.
   */
  readonly clients?: readonly string[]
  /**
   * The claim that has the scopes, or a function that returns them. Default: `scope`. Only with
   * `tokenType: 'JWT'`.
   */
  readonly scopesFrom?: ScopesFrom
  /**
   * The maximum number of seconds since a token was issued. If set, each token must have an `iat`.
   * Default: no maximum; `exp` still applies. Only with `tokenType: 'JWT'`.
   */
  readonly maxTokenAgeSeconds?: number
}

/** Verifies a token of one issuer. @throws {TokenError} for a token that is not valid */
export type VerifyToken = (
  token: string,
  keys: KeySet,
  issuer: string,
) => VerifiedToken<PlainTokenClaims>

/**
 * The options that are allowed only with `tokenType: 'JWT'`. For `at+jwt`, RFC 9068 §2.2 already
 * fixes the claims that contain the client and the scopes.
 */
const plainOptions = ['clients', 'scopesFrom', 'maxTokenAgeSeconds'] as const

/**
 * Claims that cannot bind a token to one API, because tokens for other APIs can have the same
 * value. For example, all tokens of an issuer have the same `iss`.
 */
const unbindingClaims = 'iss sub aud exp nbf iat jti typ token_use ver'.split(' ')

/**
 * Checks the rules and copies their lists, so that a later change of an option has no effect.
 * Returns the accepted audiences, and the function that verifies tokens by these rules.
 *
 * @throws {TypeError} for a rule that is missing or wrong
 */
export function readTokenRules(
  rules: TokenRules,
  common: {
    readonly algorithms?: readonly AlgorithmName[]
    readonly clockToleranceSeconds: number
    readonly clock: Clock
  },
): { readonly audiences: readonly string[]; readonly verifyToken: VerifyToken } {
  const { tokenType = 'at+jwt' } = rules
  if (tokenType === 'JWT') {
    const demand = { ...readPlainRules(rules), ...common }
    const { audience } = demand
    return {
      audiences: 'claim' in audience ? audience.values : audience,
      verifyToken: (token, keys, issuer) => verifyPlainToken(token, keys, { ...demand, issuer }),
    }
  }

  if (tokenType !== 'at+jwt') {
    throw new TypeError(`\`tokenType\` must be 'at+jwt' or 'JWT'; it is ${kindOf(tokenType)}`)
  }
  const unfit = plainOptions.find((name) => name in rules)
  if (unfit) throw new TypeError(`\`${unfit}\` works only with \`tokenType: 'JWT'\``)
  const demand = { audience: requireNames('`audience`', rules.audience), ...common }
  return {
    audiences: demand.audience,
    verifyToken: (token, keys, issuer) => verifyAccessToken(token, keys, { ...demand, issuer }),
  }
}

function readPlainRules({
  audience,
  clients,
  scopesFrom = 'scope',
  maxTokenAgeSeconds,
}: TokenRules) {
  if (
    !['scope', 'scp', 'permissions'].includes(String(scopesFrom)) &&
    typeof scopesFrom !== 'function'
  ) {
    throw new TypeError(
      "`scopesFrom` must be 'scope', 'scp', 'permissions' or a function of the claims; " +
        `it is ${kindOf(scopesFrom)}`,
    )
  }
  if (
    maxTokenAgeSeconds !== undefined &&
    !(Number.isFinite(maxTokenAgeSeconds) && maxTokenAgeSeconds > 0)
  ) {
    throw new TypeError(
      `\`maxTokenAgeSeconds\` must be a number above 0; it is ${kindOf(maxTokenAgeSeconds)}`,
    )
  }
  return {
    audience: isBindingClaim(audience)
      ? requireBindingClaim(audience)
      : requireNames('`audience`', audience),
    // Not `clients && …`: with null or '' from a configuration, every client would be accepted.
    clients: clients === undefined ? undefined : requireNames('`clients`', clients),
    scopesFrom,
    maxTokenAgeSeconds,
  }
}

function isBindingClaim(audience: TokenRules['audience']): audience is BindingClaim {
  return typeof audience === 'object' && audience !== null && !Array.isArray(audience)
}

/**
 * Checks the option `audience` in its form `{ claim, values }`.
 *
 * @throws {TypeError} if the claim cannot bind a token to an API, or if `values` is empty
 */
function requireBindingClaim({ claim, values }: BindingClaim): BindingClaim {
  if (!isName(claim) || unbindingClaims.includes(claim)) {
    throw new TypeError(
      '`claim` of `audience` must name a claim that differs from API to API, such as `azp` or ' +
        `\`client_id\`; it must not be any of ${unbindingClaims.join(', ')}`,
    )
  }
  return { claim, values: requireNames('`values` of `audience`', values) }
}

/**
 * Returns a frozen copy of the names.
 *
 * @param label what the message calls the option
 * @throws {TypeError} for an empty list or an empty name
 */
function requireNames(label: string, value: unknown): readonly string[] {
  const names: unknown[] = Array.isArray(value) ? [...value] : [value]
  if (names.length > 0 && names.every(isName)) return Object.freeze(names)
  throw new TypeError(
    `${label} must be a string, or an array of at least one string; it is ${kindOf(value)}`,
  )
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== ''
}
