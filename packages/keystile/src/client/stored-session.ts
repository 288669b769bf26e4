/** A session whose access token the client holds. */
export interface KnownSession {
  /**
   * The `sid` of the access token. For a token without one, the client draws an id at the login and
   * keeps it through refreshes. So a new login differs from a new token, even if the login was made
   * elsewhere and has only set the cookie.
   */
  readonly id: string
  readonly accessToken: string
  /** `undefined` where it is in a cookie. */
  readonly refreshToken?: string | undefined
  /**
   * When the client asked for the access token, so no later than its making: milliseconds since
   * 1970-01-01 UTC, by the client's clock.
   */
  readonly askedAt: number
  /** `expires_in`, in milliseconds. */
  readonly lifetime: number
}

/** What a page with a cookie begins with: only the issuer can tell whether there is a session. */
export const unknownSession = 'unknown'

/** What a storage holds while somebody is, or may be, signed in. */
export type StoredSession = KnownSession | typeof unknownSession

/** Returns the id of a session; `undefined` for no session, and for one that is not known yet. */
export function idOf(session: StoredSession | undefined): string | undefined {
  return knownSession(session)?.id
}

/** Returns a session whose access token is known, or `undefined`. */
export function knownSession(session: StoredSession | undefined): KnownSession | undefined {
  return session === unknownSession ? undefined : session
}

export function stringifySession(session: StoredSession): string {
  return JSON.stringify(session)
}

/** Parses what `stringifySession` wrote. Returns `undefined` for anything else. */
export function parseSession(text: string | undefined): StoredSession | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return value === unknownSession || isKnownSession(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isKnownSession(value: unknown): value is KnownSession {
  if (typeof value !== 'object' || value === null) return false
  const members: Partial<Record<keyof KnownSession, unknown>> = value
  const { id, accessToken, refreshToken, askedAt, lifetime } = members

  return (
    [id, accessToken].every((text) => typeof text === 'string') &&
    ['string', 'undefined'].includes(typeof refreshToken) &&
    [askedAt, lifetime].every((number) => typeof number === 'number')
  )
}
