import type { Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { areStorable } from '../../../storage/storable.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { EventFeed } from '../events/events.ts'
import { listSessionRows } from './active-store.ts'
import { parseAmr } from './amr.ts'
import { endSession, endSessionsOf } from './store.ts'

export interface Session {
  /** The id of the session, which is also the claim `sid` of its access tokens. */
  readonly id: string
  readonly clientId: string
  /**
   * The `User-Agent` of the login, at most 200 characters. The client chooses it, so it proves
   * nothing.
   */
  readonly device: string | null
  readonly createdAt: Date
  /** How the person logged in (RFC 8176 §2); null if that is unknown. */
  readonly amr: readonly string[] | null
  /** The time of the login or of the last refresh. */
  readonly lastUsedAt: Date
}

/**
 * Lists and ends sessions. When `end()` or `endAll()` resolves, this process refuses the access
 * tokens of the ended sessions. Other processes refuse them within a second.
 */
export interface SessionEnds {
  /**
   * Lists the active sessions of a subject, most recently used first. Leaves out the sessions of
   * disabled clients, because their tokens are refused anyway.
   */
  list(subject: string): Promise<readonly Session[]>
  /**
   * Ends a session and revokes all its tokens. If `subject` is given, ends the session only if it
   * belongs to this subject. A caller that takes the session id from a request must give `subject`.
   *
   * @returns whether there was an active session
   */
  end(sessionId: string, by: By, subject?: string): Promise<boolean>
  /**
   * Ends all sessions of a subject, or all except one. A subject without sessions is not an error.
   */
  endAll(
    subject: string,
    options: { readonly by: By; readonly except?: string | undefined },
  ): Promise<void>
}

export function createSessionEnds(
  database: Database,
  parts: {
    readonly feed: EventFeed
    readonly clock: Clock
    /** Returns the ids of the disabled clients, whose sessions are not listed. */
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
        amr: parseAmr(row.amr) ?? null,
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
      // After this answer, this process must refuse the access tokens. If the session had ended
      // before, another process may have ended it, and this process may not know yet.
      if (ended) feed.hasten()
      else await feed.tail()
      return ended
    },
    async endAll(subject, options) {
      if (!areStorable(subject)) return
      await database.write(endSessionsOf, { subject, ...options, now: clock.now() })
      await feed.tail()
    },
  }
}
