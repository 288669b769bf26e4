import { randomId, type Clock } from 'keystile/internal'
import { hashSecret } from '../../base/secret.ts'
import type { Command, Database } from '../../storage/database.ts'
import type { By } from '../audit/entry.ts'
import type { Spent } from '../limits/uses.ts'
import type { StoredRights } from '../scopes/scopes.ts'
import { signAccessToken, type IssuedTokens, type Issuing } from './issuing.ts'
import { accessTokenSecondsAt, idleExpiryAt } from './lifetimes.ts'
import { makeRefreshToken, writeRefreshToken } from './refresh-tokens.ts'
import type { NewSession } from './in-transaction.ts'

/** What a session starts from: a person who is proved, a client, and the granted scopes. */
export interface SessionStart {
  readonly subject: string
  /** When the person was proved, in milliseconds; undefined where an application did that. */
  readonly authenticatedAt?: number
  /**
   * The hash that the password was verified against; undefined where an application proved the
   * person.
   */
  readonly passwordHash?: string
  /** What the account held when `scopes` were decided; undefined for the users of an app. */
  readonly rights?: StoredRights | undefined
  /** What the rate limits counted; refunded with the start of the session. */
  readonly spent?: Spent
  /** How long the start may wait to share a commit with others. */
  readonly patienceMilliseconds?: number
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Whether there is a refresh token; without one the session ends with its access token. */
  readonly refreshes: boolean
  /** The `User-Agent` of the login, for the person's list of sessions. */
  readonly device?: string | undefined
  readonly by: By
}

export interface StartedSession extends IssuedTokens {
  readonly sessionId: string
}

export interface SessionStarter {
  /**
   * Starts a session, stores it, and issues its first tokens. Returns undefined when by now the
   * user may not log in, or has another password or other rights.
   */
  start(origin: SessionStart): Promise<StartedSession | undefined>
}

/** In characters: enough to tell devices apart. */
const maxDeviceLength = 200

/** The values of the transaction that starts the session of a login. */
export interface NewLogin extends NewSession {
  /** False for the users of an app. */
  readonly hasAccount: boolean
  readonly passwordHash: string | undefined
  readonly rights: StoredRights | undefined
  readonly spent: Spent | undefined
}

/** Checks the account once more and starts the session, or starts none. */
export type StartLogin = Command<NewLogin, { readonly started: boolean }>

export interface StarterParts {
  readonly issuing: Issuing
  readonly clock: Clock
}

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
        refreshToken: refreshToken && {
          id: refreshToken.id,
          secretHash: hashSecret(refreshToken.secret),
        },
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

/** A `User-Agent` as it is stored: without the characters that a database refuses. */
function shownDevice(device: string | undefined): string | null {
  const shown = device?.replace(/\p{Cc}/gu, '').trim()
  return shown === undefined || shown === '' ? null : shown.slice(0, maxDeviceLength).toWellFormed()
}
