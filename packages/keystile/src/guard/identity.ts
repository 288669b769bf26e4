import type { AccessTokenClaims, VerifiedAccessToken } from '../token/access-token.ts'

/** Who makes a call, proved by a token. */
export interface Identity<S extends string = string> {
  /** `sub`. */
  readonly subject: string
  /** `client_id`: the software that the token was issued to. */
  readonly clientId: string
  /** `sid`: the login that the token belongs to. */
  readonly sessionId: string | undefined
  readonly scopes: readonly S[]
  /** `auth_time`: when the person last proved who they are. */
  readonly authenticatedAt: Date | undefined
  /** All claims. Frozen, because all requests with the same token share them. */
  readonly claims: AccessTokenClaims
}

/** Makes the identity of a proved token. */
export function identityOf({ claims, scopes }: VerifiedAccessToken): Identity {
  const { sub, client_id, sid } = deepFreeze(claims)
  const identity = {
    subject: sub,
    clientId: client_id,
    sessionId: sid,
    scopes: Object.freeze(scopes),
    claims,
  }
  return Object.freeze(
    Object.defineProperty(identity, 'authenticatedAt', authenticatedAt),
  ) as Identity
}

/**
 * Makes a new Date each time: a Date cannot be frozen, and requests share the identity. All
 * identities have the same getter: with one each, V8 would make every identity a dictionary, which
 * is slow.
 */
const authenticatedAt: PropertyDescriptor & ThisType<Identity> = {
  enumerable: true,
  get() {
    const { auth_time } = this.claims
    return auth_time === undefined ? undefined : new Date(auth_time * 1000)
  },
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}
