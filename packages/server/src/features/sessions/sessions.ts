import { randomId, type Clock } from 'keystile/internal'
import { hashSecret } from '../../base/secret.ts'
import type { Command, Database } from '../../storage/database.ts'
import type { By } from '../audit/entry.ts'
import type { Spent } from '../limits/uses.ts'
import type { StoredRights } from '../scopes/scopes.ts'
import { signAccessToken, type IssuedTokens, type Issuing } from './issuing.ts'
import { accessTokenSecondsAt, idleExpiryAt } from './lifetimes.ts'
import { makeRefreshToken, writeRefreshToken, type RefreshToken } from './refresh-tokens.ts'
import type { NewRefreshToken, NewSession } from './in-transaction.ts'

/** The values that start a session: an authenticated person, a client and the granted scopes. */
export interface SessionStart {
  readonly subject: string
  /** When the person authenticated, in milliseconds; undefined when an app authenticated them. */
  readonly authenticatedAt?: number
  /**
   * The hash that the password was verified against; undefined when an app authenticated the
   * person. The start compares it with the stored hash: a session must not start with a password
   * that was changed meanwhile.
   */
  readonly passwordHash?: string
  /**
   * The account's rights when `scopes` were decided; undefined for users that the app keeps. The
   * start compares them with the stored rights, so it never grants rights that were withdrawn
   * meanwhile.
   */
  readonly rights?: StoredRights | undefined
  /** What the rate limits counted for this login. The start refunds it in the same transaction. */
  readonly spent?: Spent
  /** How long the start may wait to share a database commit with other writes. */
  readonly patienceMilliseconds?: number
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Whether to issue a refresh token. Without one the session expires with its access token. */
  readonly refreshes: boolean
  /** The `User-Agent` of the login, shown in the person's list of sessions. */
  readonly device?: string | undefined
  readonly by: By
}

/** A session that is stored, with its first tokens. */
export interface StartedSession extends IssuedTokens {
  readonly sessionId: string
}

/** Starts sessions. */
export interface SessionStarter {
  /**
   * Starts a session, stores it and issues its first tokens. Does NOT verify a password: the caller
   * has authenticated the person.
   *
   * @returns `undefined` when the user may not log in any more, or the password or rights have
   *   changed since they were read
   */
  start(origin: SessionStart): Promise<StartedSession | undefined>
}

/**
 * The longest stored `User-Agent`, in characters. It is enough to tell devices apart, and it limits
 * how much a client can store.
 */
const maxDeviceLength = 200

/** The values of the transaction that starts a session. */
export interface NewLogin extends NewSession {
  /** False for users that the app keeps: there is no account to check. */
  readonly hasAccount: boolean
  readonly passwordHash: string | undefined
  readonly rights: StoredRights | undefined
  readonly spent: Spent | undefined
}

/** Checks the account once more. If the login is still allowed, starts the session. */
export type StartLogin = Command<NewLogin, { readonly started: boolean }>

/** What every starter of sessions needs. */
export interface StarterParts {
  readonly issuing: Issuing
  readonly clock: Clock
}

/**
 * Creates the starter of sessions.
 *
 * @param parts.startLogin the command that checks the account and inserts the session
 */
export function createSessionStarter(
  database: Database,
  parts: StarterParts & { readonly startLogin: StartLogin },
): SessionStarter {
  const { startLogin, issuing, clock } = parts
  return {
    async start({
      subject,
      authenticatedAt,
      passwordHash,
      rights,
      spent,
      patienceMilliseconds,
      clientId,
      scopes,
      refreshes,
      device,
      by,
    }) {
      const now = authenticatedAt ?? clock.now()
      const expiresAt = now + issuing.sessionSeconds * 1000
      const expiresInSeconds = accessTokenSecondsAt(now, expiresAt, issuing)

      const session = {
        id: randomId(),
        subject,
        client_id: clientId,
        scopes: JSON.stringify(scopes),
        device: shownDevice(device),
        created_at: now,
        expires_at: expiresAt,
        idle_expires_at: refreshes ? idleExpiryAt(now, expiresAt, issuing) : now,
        tokens_expire_at: now + expiresInSeconds * 1000,
      }

      const refreshToken = refreshes ? makeRefreshToken() : undefined
      const values = {
        session,
        refreshToken: refreshToken && storedToken(refreshToken),
        hasAccount: issuing.hasAccounts,
        passwordHash,
        rights,
        spent,
        by,
      }

      const { started } = await database.write(startLogin, values, patienceMilliseconds)
      if (!started) return undefined

      const content = { subject, clientId, sessionId: session.id, scopes, authenticatedAt: now }
      return {
        sessionId: session.id,
        accessToken: signAccessToken(content, expiresInSeconds, { issuing, now }),
        expiresInSeconds,
        refreshToken: refreshToken && writeRefreshToken(refreshToken),
        scopes,
      }
    },
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
