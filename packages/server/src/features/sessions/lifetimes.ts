const daySeconds = 24 * 60 * 60

/**
 * No access token lives longer, whatever the settings: so long must be remembered what a token was
 * taken back for.
 */
export const maxAccessTokenSeconds: number = daySeconds

/** How long sessions and their tokens live. */
export interface Lifetimes {
  readonly accessTokenSeconds: number
  /** From the login to the end of the session, whatever is refreshed. */
  readonly sessionSeconds: number
  /** A session that nobody refreshes for so long is over. */
  readonly idleSeconds: number
  /** How long a used refresh token is answered with its successor again. 0: it is used once. */
  readonly graceSeconds: number
}

/** The lifetimes that hold where the settings name no others. */
export const defaultLifetimes: Lifetimes = {
  accessTokenSeconds: 600,
  sessionSeconds: 30 * daySeconds,
  idleSeconds: 14 * daySeconds,
  graceSeconds: 10,
}

/** The life of an access token in whole seconds: no longer than its session's. */
export function accessTokenSecondsAt(
  now: number,
  expiresAt: number,
  { accessTokenSeconds }: Lifetimes,
): number {
  return Math.min(accessTokenSeconds, Math.floor((expiresAt - now) / 1000))
}

/** When a session is over that is not refreshed after `now`. */
export function idleExpiryAt(now: number, expiresAt: number, { idleSeconds }: Lifetimes): number {
  return Math.min(now + idleSeconds * 1000, expiresAt)
}
