/** What a revocation can hit: everything that is in a token, never its text, which one changed bit would revive. */
export interface RevocableToken {
  readonly sessionId: string | undefined
  readonly subject: string
}

/** `starting`: nothing is known yet. `current`: news arrives. `stale`: it has stopped arriving. */
export type RevocationState = 'starting' | 'current' | 'stale'

/** Where a verifier learns what was taken back. */
export interface Revocations {
  readonly state: RevocationState
  isRevoked(token: RevocableToken): boolean
  /** Asks for news now. A verifier that is not `current` waits for this before it refuses with 503. */
  refresh(): Promise<void>
}

/** One end of a session, or of all that a subject has. */
export interface RevocationEvent {
  readonly kind: 'session' | 'subject'
  /** The `sid` or `sub`. */
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
  const sessions = new Map<string, number>()
  const subjects = new Map<string, number>()
  return {
    add({ kind, value, expiresAt }) {
      const ends = kind === 'session' ? sessions : subjects
      ends.set(value, Math.max(expiresAt, ends.get(value) ?? 0))
    },
    isRevoked: ({ sessionId, subject }) =>
      subjects.has(subject) || (sessionId !== undefined && sessions.has(sessionId)),
    purge(now) {
      for (const ends of [sessions, subjects]) {
        for (const [value, expiresAt] of ends) if (expiresAt <= now) ends.delete(value)
      }
    },
  }
}
