import type { JsonObject } from 'keystile/internal'

/**
 * Who acted: a user who was authenticated by password or token, the operator on the command line,
 * the application that Keystile is embedded in, or an unknown caller (`nobody`).
 */
export type Actor = `user:${string}` | 'operator' | 'app' | 'nobody'

/** Who acted, and what is known about the request. `by.ts` makes it from a request. */
export interface By {
  readonly actor: Actor
  readonly address?: string | undefined
  /** The header `Accept-Language`, for mails about the change. It is not recorded. */
  readonly acceptLanguage?: string | undefined
  /** The session of the access token in the request. */
  readonly sessionId?: string | undefined
  /** How strong the login of the access token was: `mfa` after two factors. */
  readonly acr?: string | undefined
  /** The client that the access token was issued to. */
  readonly clientId?: string | undefined
}

/** Who caused a change, and when. */
export interface Act {
  readonly by: By
  readonly now: number
}

/**
 * One entry of the audit record. It must not contain a secret or a string that a caller typed:
 * people type passwords into the wrong field, and attackers would type text that looks like an
 * entry.
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
  /** The client that the entry is about. Default: the caller's client. */
  readonly clientId?: string | undefined
  /**
   * What was changed: only the names of fields, roles or scopes. The value of a field must not be
   * in it. For a login without a second factor that is needed: what spared it.
   */
  readonly detail?: JsonObject | undefined
}
