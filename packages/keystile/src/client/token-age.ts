import type { KnownSession } from './stored-session.ts'

/** The two clocks of a client. A test can pass its own clocks. */
export interface ClientClock {
  /** Milliseconds since 1970-01-01 UTC. The user can change this clock. */
  now(): number
  /** Milliseconds since an arbitrary moment. This clock cannot be changed. */
  elapsed(): number
}

export const browserClock: ClientClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
}

/**
 * The client refreshes a token at most this many milliseconds before the token expires. A token
 * that is valid for one more minute is still valid when a slow request arrives at the API.
 */
const maxMargin = 60_000

export interface TokenAge {
  /** Whether the access token is valid and does not expire soon. */
  isFresh(session: KnownSession): boolean
  /** Whether the access token is valid, even if it expires soon. */
  isAlive(session: KnownSession): boolean
}

/**
 * Measures the age of tokens with the client's own clocks, because the issuer's clock may differ.
 * If the clock was set back to a time before `askedAt`, the token counts as expired, because its
 * real age is unknown. If the clock was set back less far, `clock.elapsed()` still shows how old
 * the token is.
 */
export function createTokenAge(clock: ClientClock): TokenAge {
  /** The latest token, its age at the first measurement, and `clock.elapsed()` at that moment. */
  let seen: { readonly accessToken: string; readonly age: number; readonly at: number } | undefined

  function ageOf({ accessToken, askedAt }: KnownSession): number {
    const age = clock.now() - askedAt
    if (age < 0) return Infinity

    if (seen?.accessToken !== accessToken) seen = { accessToken, age, at: clock.elapsed() }
    return Math.max(age, seen.age + clock.elapsed() - seen.at)
  }

  return {
    isFresh: (session) =>
      ageOf(session) < session.lifetime - Math.min(maxMargin, session.lifetime / 10),
    isAlive: (session) => ageOf(session) < session.lifetime,
  }
}
