import type { Spent } from '../limits/uses.ts'
import type { StoredRights } from '../scopes/scopes.ts'

/** Proves who a person is. Issues nothing: the front that calls it starts the session. */
export interface Login {
  /** The attempt to log in with a password. Does nothing until it is asked to prove. */
  byPassword(credentials: PasswordCredentials): LoginAttempt
}

export interface PasswordCredentials {
  /** The user name or the e-mail address, as it was typed. */
  readonly username: string
  readonly password: string
  /** The secret that the device got at its last login. */
  readonly deviceSecret: string | undefined
  /** The client that sends the login, for the audit record. */
  readonly clientId: string
  readonly address: string | undefined
}

/** One login of one person. The rate limits count it once, however often it is proved. */
export interface LoginAttempt {
  /**
   * Proves the person and reads the account once more. A front calls it again when the account
   * changed before the session started; after the second try the outcome is `refused`.
   *
   * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
   */
  prove(): Promise<LoginOutcome>
  /** Does what follows the start of the session: renews an outdated hash, makes a device secret. */
  complete(session: StartedLogin): Promise<CompletedLogin>
}

/** What an attempt comes to. A method that needs a second factor may add `challenge` later. */
export type LoginOutcome = GrantedLogin | RefusedLogin

/** The person is who they say. The start of the session must check hash and rights once more. */
export interface GrantedLogin {
  readonly outcome: 'granted'
  readonly subject: string
  /** In milliseconds: when the account was last seen with the proved password. */
  readonly authenticatedAt: number
  /** The hash that the password was verified against. */
  readonly passwordHash: string
  /** The stored rights of the account; undefined for the users of an app. */
  readonly rights: StoredRights | undefined
  /** The scopes that the user holds. */
  readonly scopes: readonly string[]
  /** What the rate limits counted. The transaction that starts the session refunds it. */
  readonly spent: Spent
  /** How long the start of the session may wait to share a commit with others. */
  readonly patienceMilliseconds: number
}

export interface RefusedLogin {
  readonly outcome: 'refused'
  /** Not for the caller, who gets the same answer for all of them. */
  readonly reason: RefusalReason
}

export type RefusalReason =
  | 'password_too_long'
  | 'unknown_user'
  | 'no_password'
  | 'wrong_password'
  | 'inactive'
  /** The account changed at each try. */
  | 'changed_meanwhile'

export interface StartedLogin {
  readonly sessionId: string
}

export interface CompletedLogin {
  /** For the next login from the same device; undefined where there are no rate limits. */
  readonly deviceSecret: string | undefined
}
