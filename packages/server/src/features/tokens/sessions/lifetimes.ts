const daySeconds = 24 * 60 * 60

/**
 * The longest lifetime that the settings allow for an access token. When all tokens of a client are
 * revoked, the revocation must be stored for this long, because each token may be valid for this
 * long.
 */
export const maxAccessTokenSeconds: number = daySeconds

export interface Lifetimes {
  readonly accessTokenSeconds: number
  /** The longest lifetime of a session from its login, even with refreshes. */
  readonly sessionSeconds: number
  /** How long a session lasts without a refresh. */
  readonly idleSeconds: number
  /** Grace period of a used refresh token. With 0, each token works only once. */
  readonly graceSeconds: number
}

/**
 * The defaults of the settings. An access token lives for ten minutes, so a stolen token soon
 * becomes useless. A session lives for 30 days, the longest time that NIST SP 800-63B-4 §2.1.3
 * allows.
 */
export const defaultLifetimes: Lifetimes = {
  accessTokenSeconds: 600,
  sessionSeconds: 30 * daySeconds,
  idleSeconds: 14 * daySeconds,
  graceSeconds: 10,
}

/**
 * Returns the lifetime of a new access token in whole seconds. The token never outlives its
 * session. `now` and `expiresAt`, the end of the session, are in milliseconds.
 */
export function accessTokenSecondsAt(
  now: number,
  expiresAt: number,
  { accessTokenSeconds }: Lifetimes,
): number {
  return Math.min(accessTokenSeconds, Math.floor((expiresAt - now) / 1000))
}

/**
 * Returns the time at which a session expires if it is not refreshed after `now`. All times are in
 * milliseconds.
 */
export function idleExpiryAt(now: number, expiresAt: number, { idleSeconds }: Lifetimes): number {
  return Math.min(now + idleSeconds * 1000, expiresAt)
}
