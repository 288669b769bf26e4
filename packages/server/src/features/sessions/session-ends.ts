import type { Clock } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { areStorable } from '../../storage/storable.ts'
import type { By } from '../audit/entry.ts'
import type { EventFeed } from '../events/events.ts'
import { endSession, endSessionsOf, listSessionRows } from './store.ts'

/** A session as its owner sees it. */
export interface Session {
  /** The `sid` of its tokens. */
  readonly id: string
  readonly clientId: string
  /** The `User-Agent` of the login, at most 200 characters: what a client says of itself. */
  readonly device: string | null
  readonly createdAt: Date
  /** The login, or the last refresh. */
  readonly lastUsedAt: Date
}

/**
 * Ways to end sessions. When they resolve, this process refuses the access tokens; others follow
 * within a second.
 */
export interface SessionEnds {
  /**
   * The sessions of a subject that are not over, the last used first; none of a disabled client.
   */
  list(subject: string): Promise<readonly Session[]>
  /**
   * Ends a session with all its tokens; of this subject alone, where one is named. @returns whether
   * there was one
   */
  end(sessionId: string, by: By, subject?: string): Promise<boolean>
  /** Ends all sessions of a subject. */
  endAll(subject: string, by: By): Promise<void>
}

export function createSessionEnds(
  database: Database,
  parts: {
    readonly feed: EventFeed
    readonly clock: Clock
    /** The ids of the clients that are disabled: their sessions are not shown. */
    readonly listDisabledClients: () => Promise<readonly string[]>
  },
): SessionEnds {
  const { feed, clock, listDisabledClients } = parts
  return {
    async list(subject) {
      if (!areStorable(subject)) return []
      const rows = await listSessionRows(database.reader, { subject, now: clock.now() })
      const disabled = new Set(await listDisabledClients())
      const shown = rows.filter((row) => !disabled.has(row.client_id))
      return shown.map((row) => ({
        id: row.id,
        clientId: row.client_id,
        device: row.device,
        createdAt: new Date(row.created_at),
        lastUsedAt: new Date(row.last_used_at),
      }))
    },
    async end(sessionId, by, subject) {
      if (!areStorable(sessionId)) return false
      const { ended } = await database.write(endSession, {
        id: sessionId,
        subject,
        by,
        now: clock.now(),
      })
      // Also where another has just ended it: whoever asked may rely on it from now on.
      await feed.tail()
      return ended
    },
    async endAll(subject, by) {
      if (!areStorable(subject)) return
      await database.write(endSessionsOf, { subject, by, now: clock.now() })
      await feed.tail()
    },
  }
}
