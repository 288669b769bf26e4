import type { Actor } from '../audit/entry.ts'

interface Happened {
  /** The id of the user: the subject of the tokens. */
  readonly subject: string
  readonly at: Date
}

interface Done extends Happened {
  /**
   * Who did it: `nobody` is a stranger who registers, `app` is the app that calls a method of
   * Keystile.
   */
  readonly actor: Actor
}

interface InSession {
  /** The `sid` of the session's tokens. */
  readonly sessionId: string
  readonly clientId: string
}

/**
 * What happened to a user or a session. With the option `users`, there are only events of sessions.
 */
export type AppEvent =
  | (Done & { readonly type: 'registered' | 'disabled' | 'enabled' | 'deleted' })
  | (Done & {
      readonly type: 'changed'
      readonly what: 'profile' | 'email' | 'password' | 'rights'
    })
  | (Done & InSession & { readonly type: 'logged_in' })
  /** A session was ended: by a logout, a revocation, or a change that ends the user's sessions. */
  | (Happened & InSession & { readonly type: 'session_ended' })
