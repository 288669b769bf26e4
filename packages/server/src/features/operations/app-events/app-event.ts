// Events for the app: Keystile calls the app's `onEvent` after each change of a user, and after
// each start and end of a session. A command that makes such a change calls `announceEvent`
// (`in-transaction.ts`). After the commit, the process that ran the command passes the events to
// the functions registered with `onCommitted` (storage/database.ts), and the one that `deliver.ts`
// registered calls `onEvent`. If the process crashes before this call, the event is lost.
//
// With `onEvent: { durable: true, handle }`, no event is lost. A process with a durable handler
// stores a row in the table `event_handler`, which is valid for 7 days, and renews it each hour
// (`store.ts`). While the row is valid, `announceEvent` in every process also inserts the event
// into the table `app_event`. The process with the lease `events` delivers these rows
// (decisions/0023-durable-events-have-their-own-lease.md).
import type { Actor } from '../audit/entry.ts'

interface Happened {
  /** The id of the user: the subject of the tokens. */
  readonly subject: string
  readonly at: Date
}

interface Done extends Happened {
  /**
   * Who made the change. `nobody` is a person who registers and so has no account yet. `app` is the
   * app, which called a method of Keystile.
   */
  readonly actor: Actor
}

interface InSession {
  /** The `sid` of the session's tokens. */
  readonly sessionId: string
  readonly clientId: string
}

/**
 * A change of a user or a session, as `onEvent` gets it. An app with the option `users` gets only
 * the events `logged_in` and `session_ended`.
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

/** An event that an `onEvent` with `durable: true` gets. */
export type DurableAppEvent = AppEvent & {
  /** The id of the event. It stays the same if the event is delivered again. */
  readonly id: string
}

/** Handles the events of all processes. Until an event is handled, it waits in the database. */
export interface DurableEventHandler {
  readonly durable: true
  /**
   * Handles an event. When the function returns or its promise resolves, Keystile erases the event.
   * If the function throws, rejects, or takes longer than a minute, Keystile calls it again later
   * with the same `event.id`. A crash can also cause a second call, so the function must accept the
   * same event twice.
   *
   * @param options.signal aborted after a minute, and 5 s after `close()` was called
   */
  handle(event: DurableAppEvent, options: { readonly signal: AbortSignal }): unknown
}
