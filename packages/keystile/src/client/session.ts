/** What is kept of a login. */
export interface Session {
  /**
   * The `sid` of the access token; where it has none, drawn at the login and the same after each refresh. So another login
   * is told from a new token, also one that was made elsewhere and has only set the cookie. Empty: not known yet.
   */
  readonly id: string
  /** Empty: it is not known yet whether there is a session, for only the issuer sees its cookie. */
  readonly accessToken: string
  /** Empty where it is in a cookie. */
  readonly refreshToken: string
  /** When the access token was asked for, so no later than it was made: milliseconds since 1970-01-01 UTC, by our clock. */
  readonly askedAt: number
  /** `expires_in`, in milliseconds. */
  readonly lifetime: number
}

export interface ClientClock {
  /** Milliseconds since 1970-01-01 UTC, which somebody may set. */
  now(): number
  /** Milliseconds since whenever, which nobody can set. */
  elapsed(): number
}

export const browserClock: ClientClock = { now: () => Date.now(), elapsed: () => performance.now() }

/** The session that a page begins with where the refresh token is in a cookie. */
export const unknownSession: Session = { id: '', accessToken: '', refreshToken: '', askedAt: 0, lifetime: 0 }

/** Refreshes this long before the end at most, in milliseconds. */
const maxMargin = 60_000

export interface Ages {
  /** Whether the access token lives, and will for a while. */
  isFresh(session: Session): boolean
  /** Whether it lives, if not for long. */
  isAlive(session: Session): boolean
}

/**
 * Tells how old access tokens are, by what we can know ourselves: the issuer's clock is not ours. Time that passed here
 * counts even where the clock was set back, and a token that seems to come from the future has no age to rely on.
 */
export function createAges(clock: ClientClock): Ages {
  /** The newest token that was looked at: its age then, and since when. */
  let seen = { accessToken: '', age: 0, at: 0 }

  function ageOf({ accessToken, askedAt }: Session): number {
    const age = clock.now() - askedAt
    if (age < 0) return Infinity
    if (seen.accessToken !== accessToken) seen = { accessToken, age, at: clock.elapsed() }
    return Math.max(age, seen.age + clock.elapsed() - seen.at)
  }

  return {
    isFresh: (session) => ageOf(session) < session.lifetime - Math.min(maxMargin, session.lifetime / 10),
    isAlive: (session) => ageOf(session) < session.lifetime,
  }
}

/** Reads what `JSON.stringify` wrote. @returns `undefined` for everything else */
export function parseSession(text: string | undefined): Session | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return isSession(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isSession(value: unknown): value is Session {
  const { id, accessToken, refreshToken, askedAt, lifetime } = (value ?? {}) as Readonly<Record<string, unknown>>
  return (
    [id, accessToken, refreshToken].every((text) => typeof text === 'string') &&
    [askedAt, lifetime].every((number) => typeof number === 'number')
  )
}
