// The commands that extend and end sessions.

import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { endRemembered } from '../../sign-in/attempts/remembered-devices-in-transaction.ts'
import type { SessionEvent } from './audit-events.ts'
import { endSessionRows, endSessions } from './in-transaction.ts'
import type { SessionRow, SessionTables } from './tables.ts'

/**
 * Ends one session and writes an audit entry. If `subject` is given, ends the session only if it
 * belongs to this subject.
 */
export const endSession: Command<
  {
    readonly id: string
    readonly subject: string | undefined
    readonly by: By
    readonly now: number
  },
  { readonly ended: boolean }
> = command('endSession', async (transaction, { id, subject, by, now }) => {
  // A person who ends the session of another device no longer trusts the other devices. A login
  // locks its remembered device before its session, so the remembered devices end first.
  if (subject !== undefined && id !== by.sessionId && (await isOpen(transaction, { id, subject })))
    await endRemembered(transaction, { subject, except: by.sessionId })
  const [ended] = await endSessionRows(transaction, [id], now, subject)
  if (!ended) return { ended: false }

  await insertAudit<SessionEvent>(transaction, {
    event: 'session_ended',
    at: now,
    by,
    subject: ended.subject,
    sessionId: id,
    clientId: ended.client_id,
  })
  return { ended: true }
})

async function isOpen(
  reader: Reader,
  { id, subject }: Pick<SessionRow, 'id' | 'subject'>,
): Promise<boolean> {
  const found = await inTables<SessionTables>(reader)
    .selectFrom('session')
    .select('id')
    .where((row) => row.and({ id, subject }))
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return found !== undefined
}

/** Extends a session that is used without a refresh token, unless it has ended. */
export const extendSession: Command<
  { readonly id: string; readonly idleExpiresAt: number; readonly now: number },
  void
> = command('extendSession', async (transaction, { id, idleExpiresAt, now }) => {
  await inTables<SessionTables>(transaction)
    .updateTable('session')
    .set({ last_used_at: now, idle_expires_at: idleExpiresAt })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .execute()
})

/**
 * Ends all sessions of a subject except the session `except`. Writes one audit entry if at least
 * one session was ended.
 */
export const endSessionsOf: Command<
  {
    readonly subject: string
    readonly except?: string | undefined
    readonly by: By
    readonly now: number
  },
  void
> = command('endSessionsOf', async (transaction, { subject, except, by, now }) => {
  const ended = await endSessions(transaction, { subject, except, remembered: except, now })
  if (ended > 0)
    await insertAudit<SessionEvent>(transaction, { event: 'sessions_ended', at: now, by, subject })
})
