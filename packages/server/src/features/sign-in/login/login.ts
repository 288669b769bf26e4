import type { Spent } from '../../operations/limits/uses.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { StoredRights } from '../../users/scopes/scopes.ts'
import type { NoticeAddress } from '../../tokens/sessions/sessions.ts'

/**
 * Authenticates users. Does not issue tokens: the endpoint that logs a user in starts the session.
 */
export interface Login {
  /** Creates an attempt to log in with a password. Nothing happens before `prove()` is called. */
  byPassword(credentials: PasswordCredentials): LoginAttempt
}

export interface PasswordCredentials {
  /** The user name or e-mail address, as the user typed it. */
  readonly username: string
  readonly password: string
  /** The device secret from the last login on this device. */
  readonly deviceSecret: string | undefined
  /** The client that sends the login, for the audit record. */
  readonly clientId: string
  readonly address: string | undefined
}

/** One login of one person. The rate limits count it once, even if `prove()` is called twice. */
export interface LoginAttempt {
  /**
   * Verifies the credentials, then reads the account once more. Call `prove()` again if the account
   * changed before the session started. After two tries, the outcome is always `refused`.
   *
   * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
   */
  prove(): Promise<LoginOutcome>
  /** Renews an outdated hash and creates a device secret. Call it after the session has started. */
  complete(session: StartedLogin): Promise<CompletedLogin>
}

/** The result of an attempt to log in. A second factor would add the outcome `challenge`. */
export type LoginOutcome = GrantedLogin | RefusedLogin

/**
 * The result for a user who is authenticated. The transaction that starts the session must compare
 * `passwordHash` and `rights` with the stored values, because they may have changed.
 */
export interface GrantedLogin {
  readonly outcome: 'granted'
  readonly subject: string
  /** When the account was read the second time, in milliseconds. */
  readonly authenticatedAt: number
  /** The hash that the password was verified against. */
  readonly passwordHash: string
  /** The stored rights of the account; undefined for an app's own users. */
  readonly rights: StoredRights | undefined
  readonly scopes: readonly string[]
  /**
   * The uses of rate limits that were counted for this login. The transaction that starts the
   * session refunds them.
   */
  readonly spent: Spent
  /**
   * The mail that tells the user about a login from a new device; undefined if the device is known.
   */
  readonly notice: NewMail | undefined
  /**
   * The address of an app's user, for `notice`. Not used for Keystile's own accounts: their notice
   * goes to the address that the account has when the session starts.
   */
  readonly noticeTo: NoticeAddress | undefined
  /**
   * How long the start of the session may wait, so that it can share one database commit with other
   * writes.
   */
  readonly patienceMilliseconds: number
}

/**
 * The result for a user who is not authenticated. The audit entry of the refusal is already
 * written. A refusal with the reason `password_too_long` has no audit entry.
 */
export interface RefusedLogin {
  readonly outcome: 'refused'
  /**
   * The reason must not be sent to the caller. The answer must be the same for all reasons, so that
   * it does not reveal which users exist.
   */
  readonly reason: RefusalReason
}

export type RefusalReason =
  | 'password_too_long'
  | 'unknown_user'
  | 'no_password'
  | 'wrong_password'
  | 'inactive'
  /** The account changed during each try. */
  | 'changed_meanwhile'

export interface StartedLogin {
  readonly sessionId: string
}

/** What the device gets in addition to the tokens. */
export interface CompletedLogin {
  /** A secret that the device sends with its next login; undefined if rate limits are off. */
  readonly deviceSecret: string | undefined
}
