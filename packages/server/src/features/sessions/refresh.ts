import type { Clock, Logger } from 'keystile/internal'
import { hashSecret, isSecretOf } from '../../base/secret.ts'
import type { Database } from '../../storage/database.ts'
import type { By } from '../audit/entry.ts'
import type { EventFeed } from '../events/events.ts'
import { signAccessToken, type IssuedTokens, type Issuing } from './issuing.ts'
import {
  makeRefreshToken,
  openSuccessor,
  parseRefreshToken,
  sealSuccessor,
  writeRefreshToken,
  type RefreshToken,
} from './refresh-tokens.ts'
import { findRefreshToken, useRefreshToken } from './refresh-store.ts'

/** A refresh token whose secret matches, and whose it is. Does NOT say whether it can be used. */
export interface ProvedRefreshToken {
  readonly token: RefreshToken
  readonly sessionId: string
  readonly subject: string
  readonly clientId: string
  /** What the session was granted. */
  readonly scopes: readonly string[]
}

export interface SessionRefresher {
  /**
   * @returns `undefined` for what is no token of ours, an unknown id, or a wrong secret: none of
   *   them changes anything
   */
  find(text: string): Promise<ProvedRefreshToken | undefined>
  /**
   * Uses a token by the rule of `refresh-rule.ts`. The database decides, under the lock of the
   * session, whoever else shows the same token or ends the session meanwhile. Reuse ends the
   * session, and this process heeds it when this resolves.
   *
   * @param scopes what the new access token is to hold
   * @returns `undefined` when the session is over, or was ended by this
   */
  use(
    proved: ProvedRefreshToken,
    scopes: readonly string[],
    by: By,
  ): Promise<IssuedTokens | undefined>
}

export function createSessionRefresher(
  database: Database,
  parts: {
    readonly issuing: Issuing
    readonly feed: EventFeed
    readonly clock: Clock
    readonly logger: Logger
  },
): SessionRefresher {
  const { issuing, feed, clock, logger } = parts
  const { accessTokenSeconds, sessionSeconds, idleSeconds, graceSeconds } = issuing
  const lifetimes = { accessTokenSeconds, sessionSeconds, idleSeconds, graceSeconds }

  return {
    async find(text) {
      const token = parseRefreshToken(text)
      const row = token && (await findRefreshToken(database.reader, token.id))
      if (!row || !isSecretOf(token.secret, row.secret_hash)) return undefined
      const { session_id: sessionId, subject, client_id: clientId } = row
      return {
        token,
        sessionId,
        subject,
        clientId,
        scopes: JSON.parse(row.scopes) as readonly string[],
      }
    },
    async use({ token, sessionId, subject, clientId }, scopes, by) {
      const now = clock.now()
      const successor = makeRefreshToken()
      const used = await database.write(useRefreshToken, {
        id: token.id,
        secretHash: hashSecret(token.secret),
        successor: {
          id: successor.id,
          secretHash: hashSecret(successor.secret),
          sealed: sealSuccessor(successor, token),
        },
        lifetimes,
        by,
        now,
      })
      if (used.outcome === 'reused') {
        logger.warn(
          { subject, sessionId, clientId },
          'a refresh token was shown again: its session is ended',
        )
        await feed.tail()
      }
      if (used.outcome === 'reused' || used.outcome === 'over') return undefined
      const content = {
        subject,
        clientId,
        sessionId,
        scopes,
        authenticatedAt: used.authenticatedAt,
      }
      return {
        accessToken: signAccessToken(content, used.expiresInSeconds, { issuing, now }),
        expiresInSeconds: used.expiresInSeconds,
        refreshToken:
          used.outcome === 'rotated'
            ? writeRefreshToken(successor)
            : openSuccessor(used.sealedSuccessor, token),
        scopes,
      }
    },
  }
}
