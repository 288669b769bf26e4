/** A session with its access token. */
export interface KnownSession {
  /**
   * The `sid` of the access token. If the token has no `sid`, the client creates a random id at the
   * login, and a refresh does not change this id. If a new token has a different `sid`, it comes
   * from a different login, not from a refresh. So the id also shows a login on a different page
   * that has changed only the cookie.
   */
  readonly id: string
  readonly accessToken: string
  /** `undefined` if the refresh token is in a cookie. */
  readonly refreshToken?: string | undefined
  /**
   * When the client requested the access token: milliseconds since 1970-01-01 UTC, by the client's
   * clock. The issuer created the token at this time or later.
   */
  readonly askedAt: number
  /** `expires_in`, in milliseconds. */
  readonly lifetime: number
}

/**
 * The stored session of a new page with `storage: 'cookie'`. Only the issuer knows whether there is
 * a session.
 */
export const unknownSession = 'unknown'

/** The content of a storage while a user is, or may be, signed in. */
export type StoredSession = KnownSession | typeof unknownSession

/** Returns the id of a session; `undefined` if there is no session or it is `unknownSession`. */
export function idOf(session: StoredSession | undefined): string | undefined {
  return knownSession(session)?.id
}

/**
 * Returns a session with its access token; `undefined` if there is no session or it is
 * `unknownSession`.
 */
export function knownSession(session: StoredSession | undefined): KnownSession | undefined {
  return session === unknownSession ? undefined : session
}

/** Returns a session as a JSON string, for a storage. */
export function stringifySession(session: StoredSession): string {
  return JSON.stringify(session)
}

/**
 * Parses a string that `stringifySession` returned. Returns `undefined` for any other string, so
 * that a user with a damaged storage counts as signed out.
 */
export function parseSession(text: string | undefined): StoredSession | undefined {
  try {
    // Stryker disable next-line StringLiteral: other invalid JSON has the same result
    const value: unknown = JSON.parse(text ?? 'null')
    return value === unknownSession || isKnownSession(value) ? value : undefined
  } catch {
    // Not JSON.
  }
  return undefined
}

function isKnownSession(value: unknown): value is KnownSession {
  const members = (value ?? {}) as Partial<Record<keyof KnownSession, unknown>>
  const { id, accessToken, refreshToken, askedAt, lifetime } = members

  return (
    [id, accessToken].every((text) => typeof text === 'string') &&
    ['string', 'undefined'].includes(typeof refreshToken) &&
    [askedAt, lifetime].every((number) => typeof number === 'number')
  )
}
