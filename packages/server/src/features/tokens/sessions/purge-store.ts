import { maxPurgedAtOnce, type PurgeCommand } from '../../../feature/clean-up.ts'
import { command, inTables } from '../../../storage/database.ts'
import type { SessionTables } from './tables.ts'

/**
 * The largest number of sessions that one step deletes. A session in daily use may have thousands
 * of refresh tokens, so 50 sessions can already reach the step's limit of deleted rows.
 */
const maxSessionsAtOnce = 50

// decisions/0013-keep-used-refresh-tokens.md
/**
 * Deletes sessions whose refresh tokens and access tokens have all expired. Deletes the refresh
 * tokens first, and then the sessions.
 *
 * Used refresh tokens are kept as long as their session. If an attacker copied and used a token,
 * the owner may present the same token weeks later. Without the row of the token, the server could
 * not find the session to end.
 */
export const purgeSessions: PurgeCommand = command(
  'purgeSessions',
  async (transaction, { before }) => {
    const db = inTables<SessionTables>(transaction)
    const expired = await db
      .selectFrom('session')
      .select('id')
      .where('idle_expires_at', '<', before)
      .where('tokens_expire_at', '<', before)
      .orderBy('idle_expires_at')
      .limit(maxSessionsAtOnce)
      .execute()
    if (expired.length === 0) return { purged: 0 }

    const ids = expired.map(({ id }) => id)
    const tokens = await db
      .selectFrom('refresh_token')
      .select('id')
      .where('session_id', 'in', ids)
      .limit(maxPurgedAtOnce)
      .execute()
    // Two statements: with a subquery, PostgreSQL may read the whole table to delete these rows.
    const tokenIds = tokens.map(({ id }) => id)
    if (tokenIds.length > 0)
      await db.deleteFrom('refresh_token').where('id', 'in', tokenIds).execute()
    if (tokenIds.length === maxPurgedAtOnce) return { purged: tokenIds.length }

    const sessions = await db.deleteFrom('session').where('id', 'in', ids).executeTakeFirstOrThrow()
    return { purged: tokenIds.length + Number(sessions.numDeletedRows) }
  },
)
