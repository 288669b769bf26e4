import type { JsonObject } from 'keystile/internal'

/**
 * Who did it: a person who was proved by password or token, the operator on the command line, the
 * application that Keystile is embedded in, or whoever it was.
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

/**
 * One line of the record. It holds no secret, and nothing that a stranger typed.
 *
 * @typeParam Event the events that the writing feature declares
 */
export interface AuditEntry<Event extends string = string> {
  readonly event: Event
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
