// Revocations: what a verifier asks about a token, where it can ask, and the list of revocations
// that the feed of a verifier and the server keep.

/**
 * The parts of a token that a revocation can match. A revocation never matches the whole token
 * string, because a sender can often change the string without making the token invalid.
 */
export interface RevocableToken {
  readonly sessionId: string | undefined
  readonly subject: string
  /** `undefined` for a token that names no client. */
  readonly clientId: string | undefined
  /** The `kid` of the key that signed the token. `undefined` if the key has no `kid`. */
  readonly keyId?: string | undefined
}

/**
 * Whether a verifier knows the revocations. `starting`: the revocations are not loaded yet.
 * `current`: updates arrive. `stale`: updates have stopped.
 */
export type RevocationState = 'starting' | 'current' | 'stale'

/** An app's own source of revocations: an object for the option `revocations` of a verifier. */
export interface Revocations {
  readonly state: RevocationState
  /**
   * Returns whether a token is revoked. A verifier calls `isRevoked()` for every request. Must
   * return a boolean, not a promise.
   */
  isRevoked(token: RevocableToken): boolean
  /**
   * Loads the newest revocations. If the state is not `current`, a verifier calls `refresh()` and
   * waits for its promise before it checks a token. If the state is not `current` even after that,
   * the verifier refuses the token with 503.
   */
  refresh(): Promise<void>
}

/** The option `revocations` of a verifier that reads the feed of a Keystile server. */
export interface RevocationFeedOptions {
  /** A client that may read revocations: `keystile client create … --may revocations`. */
  readonly clientId: string
  readonly clientSecret: string
  /**
   * What happens to tokens while the state is `stale`, because no event has arrived for four
   * seconds. With `refuse`, the API answers 503 until events arrive again. No revoked token is
   * accepted, but an outage of the issuer is an outage of this API. With `accept`, this API keeps
   * working, but it accepts tokens that are revoked during the outage. In both cases, the verifier
   * refuses a token if it already knows the revocation of the token.
   */
  readonly whenStale: 'accept' | 'refuse'
}

/** Where a verifier asks whether a token is revoked: the app's `Revocations`, or a feed. */
export interface RevocationSource {
  readonly state: RevocationState
  /** Seconds since the last update. `undefined` if the source does not know. */
  readonly ageSeconds: number | undefined
  /**
   * How many seconds a caller should wait before a retry, if a token is refused because the
   * revocations are not known. At least 1.
   */
  readonly retryAfterSeconds: number
  needsRefresh(): boolean
  /** Whether tokens may be checked now, with the revocations that are known so far. */
  isUsable(): boolean
  isRevoked(token: RevocableToken): boolean
  /** Loads the newest revocations. @throws {Error} with the reason if they cannot be loaded */
  refresh(): Promise<void>
  close(): void
}

/** The revocation of one session, or of all tokens of a subject, a client or a signing key. */
export interface RevocationEvent {
  readonly kind: 'session' | 'subject' | 'client' | 'key'
  /** The revoked `sid`, `sub`, `client_id` or `kid`, depending on `kind`. */
  readonly value: string
  /** When the last matching token expires, in milliseconds since 1970-01-01 UTC. */
  readonly expiresAt: number
}

/** Whether this version knows a kind of revocation. A later version may have further kinds. */
export function isRevocationKind(kind: unknown): kind is RevocationEvent['kind'] {
  return kind === 'session' || kind === 'subject' || kind === 'client' || kind === 'key'
}

export interface RevocationList {
  add(event: RevocationEvent): void
  isRevoked(token: RevocableToken): boolean
  /** Removes the revocations whose tokens have all expired. */
  purge(now: number): void
}

/**
 * Creates an empty list. The list has no size limit: if it evicted a revocation before the revoked
 * tokens expire, these tokens would be valid again. Only `purge` makes the list shorter.
 */
export function createRevocationList(): RevocationList {
  const ended = {
    session: new Map<string, number>(),
    subject: new Map<string, number>(),
    client: new Map<string, number>(),
    key: new Map<string, number>(),
  }

  return {
    add({ kind, value, expiresAt }) {
      ended[kind].set(value, Math.max(expiresAt, ended[kind].get(value) ?? 0))
    },
    // Most maps are empty most of the time, and reading the size is faster than a look-up.
    isRevoked: (token) =>
      (ended.subject.size > 0 && ended.subject.has(token.subject)) ||
      (ended.client.size > 0 && hasValue(ended.client, token.clientId)) ||
      (ended.session.size > 0 && hasValue(ended.session, token.sessionId)) ||
      (ended.key.size > 0 && hasValue(ended.key, token.keyId)),
    purge(now) {
      for (const values of Object.values(ended)) {
        for (const [value, expiresAt] of values) if (expiresAt <= now) values.delete(value)
      }
    },
  }
}

function hasValue(values: ReadonlyMap<string, number>, value: string | undefined): boolean {
  return value !== undefined && values.has(value)
}
