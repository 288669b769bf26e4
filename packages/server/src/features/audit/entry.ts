import type { JsonObject } from 'keystile/internal'

/** What is written down. */
export type AuditEvent =
  | 'login'
  /** The subject is said where the user exists; what was typed never is, for people type passwords into the field above. */
  | 'login_refused'
  /** The client is said where it exists. */
  | 'client_refused'
  /** A refresh token was shown again; its session is ended by this. */
  | 'refresh_reused'
  /** A client showed a refresh token of another one. */
  | 'refresh_refused'
  /** A client wanted to end a session of another one. */
  | 'revocation_refused'
  | 'session_ended'
  /** All sessions of a subject at once. */
  | 'sessions_ended'
  | 'password_changed'
  | 'email_changed'
  /** The current password, which a change asks for, was wrong. */
  | 'password_refused'
  | 'profile_changed'
  | 'user_created'
  | 'user_disabled'
  | 'user_enabled'
  | 'user_deleted'
  /** Roles and scopes of a user. */
  | 'grants_changed'
  | 'client_created'
  | 'client_secret_rotated'
  | 'client_disabled'

/**
 * Who did it: a person who was proved by password or token, the operator on the command line, the application that
 * Keystile is embedded in, or whoever it was.
 */
export type Actor = `user:${string}` | 'operator' | 'app' | 'nobody'

/** Who asks for something, and by which way. */
export interface By {
  readonly actor: Actor
  /** The IP address of the peer. */
  readonly address?: string | undefined
  /** The session whose token they showed, and its client. */
  readonly sessionId?: string | undefined
  readonly clientId?: string | undefined
}

/** One line of the record. It holds no secret, and nothing that a stranger typed. */
export interface AuditEntry {
  readonly event: AuditEvent
  readonly at: number
  readonly by: By
  /** Whose account or session it is. */
  readonly subject?: string | undefined
  /** The session that it is about. Default: the one it was asked from. */
  readonly sessionId?: string | undefined
  /** Default: the client it was asked from. */
  readonly clientId?: string | undefined
  /** Names of what was changed; never a value. */
  readonly detail?: JsonObject | undefined
}
