import type { JsonObject } from 'keystile/internal'

/**
 * Who acted: a user who was authenticated by password or token, the operator on the command line,
 * the application that Keystile is embedded in, or an unknown caller (`nobody`).
 */
export type Actor = `user:${string}` | 'operator' | 'app' | 'nobody'

/** Who acted, and from where. */
export interface By {
  readonly actor: Actor
  /** The IP address of the peer. */
  readonly address?: string | undefined
  /** The session of the access token, and its client. */
  readonly sessionId?: string | undefined
  readonly clientId?: string | undefined
}

/**
 * One entry of the audit record. It must have no secret and no string that a caller typed: people
 * type passwords into wrong fields, and attackers would type false entries.
 *
 * @typeParam Event the events that the writing feature declares
 */
export interface AuditEntry<Event extends string = string> {
  readonly event: Event
  readonly at: number
  readonly by: By
  /** The user whose account or session the entry is about. */
  readonly subject?: string | undefined
  /** The session that the entry is about. Default: the caller's session. */
  readonly sessionId?: string | undefined
  /** Default: the caller's client. */
  readonly clientId?: string | undefined
  /** The names of the changed fields, roles or scopes; never a value. */
  readonly detail?: JsonObject | undefined
}
