// How a refresh token gets a successor (decisions/0013-keep-used-refresh-tokens.md). The grant
// features/tokens/oauth/grants/refresh-token.ts checks the parameters, the scope, the secret of the
// token, its client, and its user, and then uses the token:
//
// 1. `refresh-tokens.ts` makes the successor and encrypts it with a key that is derived from the
//    presented token. So the successor can be sent again, but only to a client that has this token.
// 2. The command `useRefreshToken` (`refresh-store.ts`) finds the session of the token and locks
//    its row. Then it reads the token in a second statement. One statement would not be enough:
//    PostgreSQL would show the token as it was before the wait for the lock, so two concurrent
//    requests would both find it unused.
// 3. `refresh-rule.ts` decides: the first use, a repetition within the grace period, an allowed
//    retry after it, or a reuse. A reuse ends the session in the same transaction.
// 4. The row of the session keeps the expiry of the new access token, so that a revocation lasts at
//    least until then.
//
// A refusal writes nothing, with one exception: if the token belongs to another client,
// features/tokens/oauth/foreign-token.ts counts the refusal and, below the rate limit, writes an
// audit entry.

import type { Clock, Logger } from 'keystile/internal'
import { hashSecret, isSecretOf } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { EventFeed } from '../events/events.ts'
import { signAccessToken, type IssuedTokens, type Issuing } from './issuing.ts'
import { findRefreshToken, useRefreshToken } from './refresh-store.ts'
import {
  makeRefreshToken,
  openSuccessor,
  parseRefreshToken,
  sealSuccessor,
  writeRefreshToken,
  type RefreshToken,
} from './refresh-tokens.ts'

/**
 * A refresh token that was presented with the right secret, and the session that it belongs to. The
 * token may already have been used, or may have expired.
 */
export interface ProvedRefreshToken {
  readonly token: RefreshToken
  readonly sessionId: string
  readonly subject: string
  readonly clientId: string
  /** The scopes granted at the login. */
  readonly scopes: readonly string[]
  /** Whether its successor was used: then this token is an old copy. */
  readonly isOld: boolean
}

export interface SessionRefresher {
  /**
   * Finds a refresh token. Changes nothing, so a wrong guess cannot end a session.
   *
   * @returns `undefined` for malformed text, an unknown id or a wrong secret
   */
  find(text: string): Promise<ProvedRefreshToken | undefined>
  /**
   * Uses a refresh token and issues new tokens, by the rule of `refresh-rule.ts`. The session is
   * locked during the use, so callers that present the token at the same time are served one after
   * the other. If two callers hold the token (reuse), ends the session: when the promise resolves,
   * this process already refuses the access tokens of the session.
   *
   * Does NOT check that the token was issued to the client that presents it.
   *
   * @param scopes the scopes of the new access token
   * @returns `undefined` if the session has ended or expired, or if this call ended it
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
    find: (text) => findProved(database, text),
    async use({ token, sessionId, subject, clientId }, scopes, by) {
      const now = clock.now()
      const successor = makeRefreshToken(now)
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

      if (used.outcome === 'over') return undefined
      if (used.outcome === 'reused') {
        logger.warn({ subject, sessionId, clientId }, 'refresh token reused: its session was ended')
        // Once `tail()` resolves, this process also refuses the access token of the attacker.
        await feed.tail()
        return undefined
      }

      const { expiresInSeconds, authenticatedAt, amr } = used
      const content = { subject, clientId, sessionId, scopes, authenticatedAt, amr }
      return {
        accessToken: await signAccessToken(content, expiresInSeconds, { issuing, now }),
        expiresInSeconds,
        refreshToken:
          used.outcome === 'rotated'
            ? writeRefreshToken(successor)
            : openSuccessor(used.sealedSuccessor, token),
        scopes,
      }
    },
  }
}

async function findProved(
  database: Database,
  text: string,
): Promise<ProvedRefreshToken | undefined> {
  const token = parseRefreshToken(text)
  const row = token && (await findRefreshToken(database.reader, token.id))
  // Compares hashes in constant time, so an attacker cannot guess the secret byte by byte.
  if (!row || !isSecretOf(token.secret, row.secret_hash)) return undefined

  const { session_id: sessionId, subject, client_id: clientId } = row
  const scopes = JSON.parse(row.scopes) as readonly string[]
  return { token, sessionId, subject, clientId, scopes, isOld: row.successor_used_at !== null }
}
