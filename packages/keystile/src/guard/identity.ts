import type { AccessTokenClaims, VerifiedAccessToken } from '../token/access-token.ts'

/** The identity of a caller, taken from a verified token. */
export interface Identity<S extends string = string> {
  /** The claim `sub`: the user, or the client if it acts without a user. */
  readonly subject: string
  /** The claim `client_id`: the software that received the token. */
  readonly clientId: string
  /** The claim `sid`: the session that the token belongs to. */
  readonly sessionId: string | undefined
  readonly scopes: readonly S[]
  /** The claim `auth_time`: the time of the last login. */
  readonly authenticatedAt: Date | undefined
  /** All claims. They are frozen, because all requests with the same token share them. */
  readonly claims: AccessTokenClaims
}

/**
 * Creates the frozen identity of a verified token. Without freezing, a handler could change the
 * scopes of every later request with the same token.
 */
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
 * The getter of `authenticatedAt`. It returns a new Date each time, because a Date cannot be frozen
 * and requests share the identity. All identities share one getter. If each identity had its own
 * getter, V8 would store every identity as a slow dictionary.
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
