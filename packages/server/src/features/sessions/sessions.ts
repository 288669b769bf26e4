import { issueAccessToken, randomId, type Clock } from 'keystile/internal'
import type { SigningKey } from 'keystile/jwt'
import type { Database } from '../../storage/database.ts'
import { insertSession } from './store.ts'

export interface Login {
  readonly subject: string
  /** The hash that the password was proved against; none where an application's own login proved who it is. */
  readonly passwordHash?: string
  readonly clientId: string
  readonly scopes: readonly string[]
}

/** What a session's tokens say about where they come from, and how they are signed. */
export interface Issuing {
  readonly issuer: string
  readonly audience: string
  readonly accessTokenSeconds: number
  /** Whether its subjects are our own accounts, each of which may be disabled or deleted as a session starts. */
  readonly hasAccounts: boolean
  signingKey(): SigningKey
}

export interface SessionStarter {
  /**
   * Starts a session, writes it down, and issues its first access token.
   *
   * @returns `undefined` when the user may not log in any more, or not with this password
   */
  start(login: Login): Promise<{ readonly accessToken: string } | undefined>
}

export function createSessionStarter(database: Database, issuing: Issuing, clock: Clock): SessionStarter {
  return {
    async start({ subject, passwordHash, clientId, scopes }) {
      const now = clock.now()
      const session = {
        id: randomId(),
        subject,
        client_id: clientId,
        created_at: now,
        tokens_expire_at: now + issuing.accessTokenSeconds * 1000,
      }
      const { started } = await database.write(insertSession, {
        session,
        hasAccount: issuing.hasAccounts,
        passwordHash,
      })
      if (!started) return undefined
      const content = {
        issuer: issuing.issuer,
        audience: issuing.audience,
        subject,
        clientId,
        sessionId: session.id,
        scopes,
        authenticatedAt: now,
      }
      // At the time that was written down, however long the commit took.
      const at = { now: () => now }
      return { accessToken: issueAccessToken(content, issuing.signingKey(), issuing.accessTokenSeconds, at) }
    },
  }
}
