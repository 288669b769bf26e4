// A session is one login, and the unit of revocation. The life of a session:
//
// 1. This file starts it from a `NewSession` (`new-session.ts`), with the command `startLogin` of
//    features/sign-in/login. `issuing.ts` signs its access tokens, and `refresh-tokens.ts` makes
//    its refresh tokens.
// 2. `refresh.ts` exchanges a refresh token for new tokens. `active-session.ts` extends the session
//    of a browser at the pages, which has no refresh token.
// 3. `session-ends.ts` ends it on request. The commands of other features end it through
//    `in-transaction.ts`, for example when a password changes.
// 4. `purge-store.ts` deletes it after its tokens have expired.

import { randomId, type Clock } from 'keystile/internal'
import { hashSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import { factorMailboxFull } from '../../mail/outbox/mailbox-full.ts'
import { signAccessToken, type IssuedTokens, type Issuing } from './issuing.ts'
import { accessTokenSecondsAt, idleExpiryAt } from './lifetimes.ts'
import type { NewSession, StartLogin } from './new-session.ts'
import { makeRefreshToken, writeRefreshToken, type RefreshToken } from './refresh-tokens.ts'
import type { NewRefreshToken, SessionRows } from './start-in-transaction.ts'

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

export interface StarterParts {
  readonly issuing: Issuing
  readonly clock: Clock
}

/**
 * Creates a `SessionStarter`.
 *
 * @param parts.startLogin the command that checks the account and inserts the session
 * @param parts.recordedUntil see `SessionToStart`
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
      const now = clock.now()
      const session = rowOf(wanted, now, issuing)
      const getsToken = wanted.refreshes && wanted.browserId === undefined
      const refreshToken = getsToken ? makeRefreshToken(now) : undefined

      const values = {
        wanted,
        session,
        refreshToken: refreshToken && storedToken(refreshToken),
        by: wanted.by,
        hasAccount: issuing.hasAccounts,
        recordedUntil,
      }
      const done = await database.write(startLogin, values, patienceMilliseconds)
      if (!done.started && done.mailWait !== undefined) throw factorMailboxFull(done.mailWait)
      if (!done.started) return undefined

      const sessionId = session.id
      const { subject, clientId, scopes, amr, authenticatedAt = now } = wanted
      const content = { subject, clientId, sessionId, scopes, authenticatedAt, amr }
      const expiresInSeconds = accessTokenSecondsAt(now, session.expires_at, issuing)
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

/** Returns the row of a session that starts `now`. */
function rowOf(wanted: NewSession, now: number, issuing: Issuing): SessionRows['session'] {
  const { amr, refreshes, browserId, authenticatedAt = now } = wanted
  const expiresAt = wanted.replaces?.expiresAt ?? now + issuing.sessionSeconds * 1000
  const lasts = refreshes || browserId !== undefined
  return {
    id: randomId(),
    subject: wanted.subject,
    client_id: wanted.clientId,
    scopes: JSON.stringify(wanted.scopes),
    device: shownDevice(wanted.device),
    created_at: now,
    expires_at: expiresAt,
    idle_expires_at: lasts ? idleExpiryAt(now, expiresAt, issuing) : now,
    tokens_expire_at: now + accessTokenSecondsAt(now, expiresAt, issuing) * 1000,
    amr: amr ? JSON.stringify(amr) : null,
    authenticated_at: amr ? authenticatedAt : null,
  }
}

/**
 * The longest stored `User-Agent`, in characters. It is enough to tell devices apart, and it limits
 * how much a client can store.
 */
const maxDeviceLength = 200

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
