/**
 * What a revocation can hit: everything that is in a token, never its text, which one changed bit
 * would revive.
 */
export interface RevocableToken {
  readonly sessionId: string | undefined
  readonly subject: string
  readonly clientId: string
}

/** `starting`: nothing is known yet. `current`: news arrives. `stale`: it has stopped arriving. */
export type RevocationState = 'starting' | 'current' | 'stale'

/** Where a verifier learns what was taken back. */
export interface Revocations {
  readonly state: RevocationState
  isRevoked(token: RevocableToken): boolean
  /**
   * Asks for news now. A verifier that is not `current` waits for this before it refuses with 503.
   */
  refresh(): Promise<void>
}

/** One end of a session, or of all that a subject or a client has. */
export interface RevocationEvent {
  readonly kind: 'session' | 'subject' | 'client'
  /** The `sid`, `sub` or `client_id`. */
  readonly value: string
  /** Milliseconds; from then on no token that this hits can still be valid. */
  readonly expiresAt: number
}

/** The events that still matter, looked up by what they hit. */
export interface RevocationList {
  add(event: RevocationEvent): void
  isRevoked(token: RevocableToken): boolean
  /** Forgets events whose tokens are all over. */
  purge(now: number): void
}

export function createRevocationList(): RevocationList {
  const ended = {
    session: new Map<string, number>(),
    subject: new Map<string, number>(),
    client: new Map<string, number>(),
  }
  return {
    add({ kind, value, expiresAt }) {
      ended[kind].set(value, Math.max(expiresAt, ended[kind].get(value) ?? 0))
    },
    isRevoked: ({ sessionId, subject, clientId }) =>
      ended.subject.has(subject) ||
      ended.client.has(clientId) ||
      // Stryker disable next-line ConditionalExpression: narrows the type; no event names undefined
      (sessionId !== undefined && ended.session.has(sessionId)),
    purge(now) {
      for (const values of Object.values(ended)) {
        for (const [value, expiresAt] of values) if (expiresAt <= now) values.delete(value)
      }
    },
  }
}
