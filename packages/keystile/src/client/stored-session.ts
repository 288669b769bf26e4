// What a client keeps in its storage: the session of the user, or `unknownSession`.
import type { IssuedTokens } from './endpoints.ts'
import { sidOf } from './token-claims.ts'

/** A session, with the tokens that a client needs to use and to refresh it. */
export interface KnownSession {
  /**
   * The `sid` of the access token. If the token has no `sid`, the client creates a random id at the
   * login and keeps this id after a refresh. The refresh of a session never changes its `sid`.
   * So if a refresh returns a token with a different `sid`, another page has logged in and has
   * replaced the cookie.
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
  /**
   * The ids of the sessions that this one has replaced, because a step-up of the same user started
   * it. What began in one of them goes on in this session.
   */
  readonly replaced?: readonly string[] | undefined
}

/**
 * What a new page with `storage: 'cookie'` stores instead of a session. Scripts cannot see the
 * cookie, so the page does not know yet whether the user has a session.
 */
export const unknownSession = 'unknown'

/** The content of a storage while a user is, or may be, signed in. */
export type StoredSession = KnownSession | typeof unknownSession

/**
 * Creates a session from the tokens of the issuer.
 *
 * @param before the session before the refresh. Its id is used if the access token has no `sid`
 */
export function sessionOf(
  { accessToken, refreshToken, lifetime }: IssuedTokens,
  askedAt: number,
  before?: KnownSession,
): KnownSession {
  const id = sidOf(accessToken) ?? before?.id ?? randomId()
  const replaced = id === before?.id ? before.replaced : undefined
  return { id, accessToken, refreshToken, lifetime, askedAt, replaced }
}

/** Returns a random id. It works without `crypto.randomUUID`, which a page without TLS lacks. */
function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).toString()
}

/** Returns the id of a session; `undefined` for `undefined` and for `unknownSession`. */
export function idOf(session: StoredSession | undefined): string | undefined {
  return knownSession(session)?.id
}

/** Whether what began in the session `before` goes on in the session `now`. */
export function continues(now: KnownSession, before: Pick<KnownSession, 'id'>): boolean {
  return now.id === before.id || (now.replaced?.includes(before.id) ?? false)
}

/** Returns the given session; `undefined` for `undefined` and for `unknownSession`. */
export function knownSession(session: StoredSession | undefined): KnownSession | undefined {
  return session === unknownSession ? undefined : session
}

export function stringifySession(session: StoredSession): string {
  return JSON.stringify(session)
}

/**
 * Parses a string that `stringifySession` returned. Returns `undefined` for any other string, so
 * that a user with a damaged storage counts as signed out.
 */
export function parseSession(text: string | undefined): StoredSession | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return value === unknownSession || isKnownSession(value) ? value : undefined
  } catch {
    // Not JSON.
  }
  return undefined
}

function isKnownSession(value: unknown): value is KnownSession {
  const members = (value ?? {}) as Partial<Record<keyof KnownSession, unknown>>
  const { id, accessToken, refreshToken, askedAt, lifetime, replaced } = members

  return (
    [id, accessToken].every((text) => typeof text === 'string') &&
    ['string', 'undefined'].includes(typeof refreshToken) &&
    [askedAt, lifetime].every((number) => typeof number === 'number') &&
    (replaced === undefined || Array.isArray(replaced))
  )
}
