// What the start of a session gets from a login, and the form of the command that starts it. The
// command is `startLogin` of features/sign-in/login, because it checks accounts and credentials.

import type { Command } from '../../../storage/database.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Spent } from '../../operations/limits/uses.ts'
import type { StoredRights } from '../../users/scopes/scopes.ts'
import type { SessionRows } from './start-in-transaction.ts'

/** A session to start, and what must still hold when its transaction starts it. */
export interface NewSession {
  readonly subject: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /**
   * Whether to issue a refresh token. A session without a refresh token expires with its access
   * token.
   */
  readonly refreshes: boolean
  /**
   * The hash of the secret of a browser that logs in at the pages. Its session lasts as if it were
   * refreshed, but has no refresh token: each page that the browser opens extends it.
   */
  readonly browserId?: string | undefined
  /** The `User-Agent` of the login, shown in the person's list of sessions. */
  readonly device?: string | undefined
  readonly by: By
  /**
   * When the person authenticated, in milliseconds; undefined if the app authenticated the person.
   */
  readonly authenticatedAt?: number
  /** How the person authenticated (RFC 8176 §2); undefined if that is unknown. */
  readonly amr?: readonly string[]
  /** Whether the person proved the authenticator app, so that the device is known for its codes. */
  readonly provesApp?: boolean
  /** Whether the person has used a recovery code. */
  readonly isRecovery?: boolean
  /**
   * The active session that this one replaces: a step-up. The same transaction ends it.
   * `expiresAt` is the end that the new session keeps, in milliseconds; undefined for a new end.
   * With `needsOlderFactor`, the login fails if the user has renewed a factor since that session
   * started.
   */
  readonly replaces?:
    | {
        readonly id: string
        readonly expiresAt: number | undefined
        readonly needsOlderFactor: boolean
      }
    | undefined
  /** The login attempt of several steps that ends with this session. */
  readonly attemptId?: string | undefined
  /** How the login of a browser at the pages deals with remembered devices. */
  readonly remembering?: Remembering | undefined
  /** The authorization code that the session uses. */
  readonly codeId?: string | undefined
  /**
   * What was proved, each by the name of its method. The session starts only if the account still
   * has these credentials. Undefined if the app authenticated the person.
   */
  readonly marks?: Readonly<Record<string, string>>
  /**
   * The account's rights when `scopes` was computed from them; undefined for an app's own users. If
   * the stored rights differ, the session does not start.
   */
  readonly rights?: StoredRights | undefined
  /** The uses of rate limits that were counted for this login. The transaction refunds them. */
  readonly spent?: Spent
  /** The mail that tells the person about a login from a new device, or with a recovery code. */
  readonly notice?: NewMail | undefined
  /** The address of an app's own user, for the mail `notice`. Ignored for Keystile accounts. */
  readonly noticeTo?: NoticeAddress | undefined
}

/** What a login does with features/sign-in/attempts/remembered-devices.ts. */
export interface Remembering {
  /** See `Device.rememberedId`. Undefined for an unknown device. */
  readonly formerId: string | undefined
  /** The same for the new device secret: a device that is remembered stays so. */
  readonly id: string
  /** Whether the session starts only if the device is still remembered. */
  readonly sparesFactor: boolean
  /** How long to remember the device from now on; undefined if the person did not ask for it. */
  readonly milliseconds: number | undefined
}

/** Where the notice of a login of an app's own user goes. */
export interface NoticeAddress {
  readonly email: string | undefined
  readonly isVerified: boolean
}

/** The values of the command `StartLogin`. */
export interface SessionToStart extends SessionRows {
  readonly wanted: NewSession
  /** False for an app's own users, because they have no Keystile account to check. */
  readonly hasAccount: boolean
  /**
   * Until this time, in milliseconds, the audit record has each login of an app's own users.
   * Undefined for Keystile accounts.
   */
  readonly recordedUntil: number | undefined
}

/**
 * The command that starts the session of a login. It checks the account once more, and starts no
 * session if the login is no longer allowed.
 */
export type StartLogin = Command<SessionToStart, RefusedLogin | StartedLogin>

export interface RefusedLogin {
  readonly started: false
  /**
   * The milliseconds until the mailbox has room for the mail about a first second factor. Undefined
   * if the login was refused for another reason.
   */
  readonly mailWait?: number
}

export interface StartedLogin {
  readonly started: true
  /**
   * When the authenticator app was set up whose code the login had, or that a recovery code stood
   * for. The user may have another app by now. Undefined after a login without either.
   */
  readonly appSince: number | undefined
}
