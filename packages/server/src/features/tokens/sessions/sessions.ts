// A session is one login, and the unit of revocation. This file starts one, with the command of
// features/sign-in/login. `refresh.ts` tells how it is refreshed. `session-ends.ts` ends it on
// request, and the commands of other features end it through `in-transaction.ts`, for example when
// a password changes. `issuing.ts` signs the access tokens, and `refresh-tokens.ts` makes the
// refresh tokens.
import { randomId, type Clock } from 'keystile/internal'
import { hashSecret } from '../../../base/secret.ts'
import type { Command, Database } from '../../../storage/database.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Spent } from '../../operations/limits/uses.ts'
import { factorMailboxFull } from '../../mail/outbox/mailbox-full.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { StoredRights } from '../../users/scopes/scopes.ts'
import { signAccessToken, type IssuedTokens, type Issuing } from './issuing.ts'
import { accessTokenSecondsAt, idleExpiryAt } from './lifetimes.ts'
import { makeRefreshToken, writeRefreshToken, type RefreshToken } from './refresh-tokens.ts'
import type { NewRefreshToken, SessionRows } from './start-in-transaction.ts'

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
  /** The mail that tells the person about a login from a new device. */
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

export interface StartedSession extends IssuedTokens {
  readonly sessionId: string
  /** See `StartedLogin.appSince`. */
  readonly appSince?: number | undefined
}

export interface SessionStarter {
  /**
   * Starts a session, stores it and issues its first tokens. Does NOT verify a password: the caller
   * must have authenticated the person.
   *
   * @param patienceMilliseconds how long the transaction may wait, so that it can share one commit
   *   with other writes
   * @returns `undefined` if the user may no longer log in, or if a proved credential or the rights
   *   have changed since the caller read them
   * @throws {ProblemError} `too_many_requests` if the login adds a first second factor, and the
   *   mailbox has no room for the mail about it
   */
  start(wanted: NewSession, patienceMilliseconds?: number): Promise<StartedSession | undefined>
}

/**
 * The longest stored `User-Agent`, in characters. It is enough to tell devices apart, and it limits
 * how much a client can store.
 */
const maxDeviceLength = 200

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

export interface StarterParts {
  readonly issuing: Issuing
  readonly clock: Clock
}

/**
 * Creates a `SessionStarter`.
 *
 * @param parts includes `startLogin`, the command that checks the account and inserts the session
 */
export function createSessionStarter(
  database: Database,
  {
    startLogin,
    recordedUntil,
    issuing,
    clock,
  }: StarterParts & {
    readonly startLogin: StartLogin
    readonly recordedUntil?: number
  },
): SessionStarter {
  return {
    async start(wanted, patienceMilliseconds) {
      const { subject, clientId, scopes, amr, refreshes, browserId, by } = wanted
      const now = clock.now()
      const authenticatedAt = wanted.authenticatedAt ?? now
      const expiresAt = wanted.replaces?.expiresAt ?? now + issuing.sessionSeconds * 1000
      const expiresInSeconds = accessTokenSecondsAt(now, expiresAt, issuing)
      const tokensExpireAt = now + expiresInSeconds * 1000
      const times = { now, authenticatedAt, expiresAt, tokensExpireAt }
      const session = rowOf(wanted, times, issuing)

      const refreshToken = refreshes && browserId === undefined ? makeRefreshToken(now) : undefined
      const values = {
        wanted,
        session,
        refreshToken: refreshToken && storedToken(refreshToken),
        by,
        hasAccount: issuing.hasAccounts,
        recordedUntil,
      }
      const done = await database.write(startLogin, values, patienceMilliseconds)
      if (!done.started && done.mailWait !== undefined) throw factorMailboxFull(done.mailWait)
      if (!done.started) return undefined

      const sessionId = session.id
      const content = { subject, clientId, sessionId, scopes, authenticatedAt, amr }
      return {
        sessionId,
        accessToken: await signAccessToken(content, expiresInSeconds, { issuing, now }),
        expiresInSeconds,
        refreshToken: refreshToken && writeRefreshToken(refreshToken),
        scopes,
        appSince: done.appSince,
      }
    },
  }
}

/** Returns the row of a session. All times are in milliseconds. */
function rowOf(
  { subject, clientId, scopes, amr, device, refreshes, browserId }: NewSession,
  times: Readonly<Record<'now' | 'authenticatedAt' | 'expiresAt' | 'tokensExpireAt', number>>,
  issuing: Issuing,
): SessionRows['session'] {
  const { now, authenticatedAt, expiresAt, tokensExpireAt } = times
  const lasts = refreshes || browserId !== undefined
  return {
    id: randomId(),
    subject,
    client_id: clientId,
    scopes: JSON.stringify(scopes),
    device: shownDevice(device),
    created_at: now,
    expires_at: expiresAt,
    idle_expires_at: lasts ? idleExpiryAt(now, expiresAt, issuing) : now,
    tokens_expire_at: tokensExpireAt,
    amr: amr ? JSON.stringify(amr) : null,
    authenticated_at: amr ? authenticatedAt : null,
  }
}

/**
 * Shortens a `User-Agent` and removes its control characters. PostgreSQL refuses the NUL character,
 * and other control characters could change what a terminal shows.
 */
function shownDevice(device: string | undefined): string | null {
  const shown = device?.replace(/\p{Cc}/gu, '').trim()
  return shown === undefined || shown === '' ? null : shown.slice(0, maxDeviceLength).toWellFormed()
}

/**
 * Returns the part of a refresh token that the database stores: the id, and a hash of the secret.
 */
function storedToken({ id, secret }: RefreshToken): NewRefreshToken {
  return { id, secretHash: hashSecret(secret) }
}
