const daySeconds = 24 * 60 * 60

/**
 * The longest lifetime of an access token, whatever the settings say. A revocation of all tokens of
 * a client must be kept for this long, because any of its tokens may live that long.
 */
export const maxAccessTokenSeconds: number = daySeconds

/** The lifetimes of sessions and their tokens. */
export interface Lifetimes {
  readonly accessTokenSeconds: number
  /** From the login to the end of the session, however often it is refreshed. */
  readonly sessionSeconds: number
  /** A session that is not refreshed for this long expires. */
  readonly idleSeconds: number
  /** Grace period of a used refresh token; with 0 each token works once. */
  readonly graceSeconds: number
}

/**
 * The defaults of the settings. An access token of ten minutes limits what a stolen one is worth;
 * 30 days until the next login is the longest that NIST SP 800-63B-4 §2.1.3 allows.
 */
export const defaultLifetimes: Lifetimes = {
  accessTokenSeconds: 600,
  sessionSeconds: 30 * daySeconds,
  idleSeconds: 14 * daySeconds,
  graceSeconds: 10,
}

/** Returns the lifetime of a new access token in whole seconds. It never exceeds its session's. */
export function accessTokenSecondsAt(
  now: number,
  expiresAt: number,
  { accessTokenSeconds }: Lifetimes,
): number {
  return Math.min(accessTokenSeconds, Math.floor((expiresAt - now) / 1000))
}

/** Returns when a session expires that is not refreshed after `now`. */
export function idleExpiryAt(now: number, expiresAt: number, { idleSeconds }: Lifetimes): number {
  return Math.min(now + idleSeconds * 1000, expiresAt)
}
