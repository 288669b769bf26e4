import { deepFreeze } from '../base/freeze.ts'
import type { AccessTokenClaims, VerifiedToken } from '../token/access-token.ts'
import { isListOfStrings } from '../token/claims.ts'
import type { PlainTokenClaims } from '../token/plain-token.ts'

/**
 * The kind of access token that a verifier accepts. `at+jwt`: tokens of RFC 9068, which always have
 * `client_id` and the other required claims. `JWT`: tokens of any issuer. Such tokens may lack
 * claims, so some members of the identity may be undefined.
 */
export type TokenType = 'at+jwt' | 'JWT'

export interface Identity<S extends string = string, T extends TokenType = 'at+jwt'> {
  /**
   * The claim `sub`: the id of the user, or the id of the client if the client acts without a user.
   */
  readonly subject: string
  /**
   * The software that received the token: the claim `client_id`. With `tokenType: 'JWT'`, the first
   * of `client_id`, `azp`, `cid` and `appid` that the token has; `undefined` if it has none.
   */
  readonly clientId: T extends 'at+jwt' ? string : string | undefined
  /** The claim `sid`: the session that the token belongs to. */
  readonly sessionId: string | undefined
  readonly scopes: readonly S[]
  /** The claim `auth_time`: the time of the last login. */
  readonly authenticatedAt: Date | undefined
  /** The claim `acr`: how strong the last login was. Keystile's values are `pwd` and `mfa`. */
  readonly acr: string | undefined
  /**
   * The claim `amr`: the methods of the last login, such as `pwd` and `otp` (RFC 8176). `undefined`
   * if an issuer writes anything but a list of strings; then see `claims`.
   */
  readonly amr: readonly string[] | undefined
  /** All claims. They are frozen, because all requests with the same token share them. */
  readonly claims: T extends 'at+jwt' ? AccessTokenClaims : PlainTokenClaims
}

/**
 * Creates the frozen identity of a verified token. Without freezing, a handler could change the
 * scopes of every later request with the same token.
 */
export function identityOf({
  claims,
  clientId,
  scopes,
}: VerifiedToken<PlainTokenClaims>): Identity<string, 'JWT'> {
  const { sub, sid, acr, amr } = deepFreeze(claims)
  const identity = {
    subject: sub,
    clientId,
    sessionId: sid,
    scopes: Object.freeze(scopes),
    acr,
    amr: isListOfStrings(amr) ? amr : undefined,
    claims,
  }
  return Object.freeze(
    Object.defineProperty(identity, 'authenticatedAt', authenticatedAt),
  ) as Identity<string, 'JWT'>
}

/**
 * The getter of `authenticatedAt`. It returns a new Date each time, because a Date cannot be frozen
 * and requests share the identity. All identities share one getter. If each identity had its own
 * getter, V8 would store every identity as a slow dictionary.
 */
const authenticatedAt: PropertyDescriptor & ThisType<Identity<string, 'JWT'>> = {
  enumerable: true,
  get() {
    const { auth_time } = this.claims
    return auth_time === undefined ? undefined : new Date(auth_time * 1000)
  },
}
