import type { KnownSession } from './stored-session.ts'

export interface ClientClock {
  /** Milliseconds since 1970-01-01 UTC. A user may set this clock. */
  now(): number
  /** Milliseconds since a moment that does not matter. Nobody can set this clock. */
  elapsed(): number
}

export const browserClock: ClientClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
}

/** How long before its end a token is refreshed, at most, in milliseconds. */
const maxMargin = 60_000

/** Tells how old access tokens are. */
export interface TokenAge {
  /** Whether the access token is valid, and will be for a while. */
  isFresh(session: KnownSession): boolean
  /** Whether the access token is valid, even if not for long. */
  isAlive(session: KnownSession): boolean
}

/**
 * Measures age by the client's own clocks, because the issuer's clock may differ. Elapsed time
 * counts even if the clock was set back. A token that seems to come from the future is as old as
 * can be.
 */
export function createTokenAge(clock: ClientClock): TokenAge {
  /** The newest token that was looked at: its age then, and the elapsed time then. */
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
