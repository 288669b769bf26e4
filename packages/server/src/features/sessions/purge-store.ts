import { maxPurgedAtOnce, type PurgeCommand } from '../../feature/clean-up.ts'
import { command, inTables, type AnyCommand } from '../../storage/database.ts'
import type { SessionTables } from './tables.ts'

/** Sessions that one step looks at. One in daily use has thousands of refresh tokens. */
const maxSessionsAtOnce = 50

// decisions/0013-keep-used-refresh-tokens.md
/**
 * Deletes sessions that neither a refresh nor an access token can use any more: first their refresh
 * tokens, then the session once it has none. Used tokens stay until then: the owner of a copied
 * token may return after weeks, and only the row of that token tells which session to end.
 */
export const purgeSessions: PurgeCommand = command(
  'purgeSessions',
  async (transaction, { before }) => {
    const db = inTables<SessionTables>(transaction)
    const over = await db
      .selectFrom('session')
      .select('id')
      .where('idle_expires_at', '<', before)
      .where('tokens_expire_at', '<', before)
      .orderBy('idle_expires_at')
      .limit(maxSessionsAtOnce)
      .execute()
    if (over.length === 0) return { purged: 0 }
    const ids = over.map(({ id }) => id)
    const tokens = await db
      .deleteFrom('refresh_token')
      .where('id', 'in', (from) =>
        from
          .selectFrom('refresh_token')
          .select('id')
          .where('session_id', 'in', ids)
          .limit(maxPurgedAtOnce),
      )
      .executeTakeFirstOrThrow()
    const deletedTokens = Number(tokens.numDeletedRows)
    if (deletedTokens === maxPurgedAtOnce) return { purged: deletedTokens }
    const sessions = await db.deleteFrom('session').where('id', 'in', ids).executeTakeFirstOrThrow()
    return { purged: deletedTokens + Number(sessions.numDeletedRows) }
  },
)

export const commands: readonly AnyCommand[] = [purgeSessions]
