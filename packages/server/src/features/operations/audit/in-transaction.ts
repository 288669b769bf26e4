import { randomRowId } from 'keystile/internal'
import type { Transaction } from '../../../storage/database.ts'
import { prepare } from '../../../storage/prepared.ts'
import type { AuditEntry } from './entry.ts'
import type { AuditRow, AuditTables } from './tables.ts'

/**
 * Writes the audit entry of a change, in the transaction of the change. So a change is never
 * committed without its entry.
 *
 * @typeParam Event the events that the calling feature declares; the default accepts no event
 */
export async function insertAudit<Event extends string = never>(
  transaction: Transaction,
  { event, at, by, subject, sessionId, clientId, detail }: AuditEntry<NoInfer<Event>>,
): Promise<void> {
  await insertRow(transaction, {
    id: randomRowId(at),
    at,
    event,
    actor: by.actor,
    subject: subject ?? null,
    session_id: sessionId ?? by.sessionId ?? null,
    client_id: clientId ?? by.clientId ?? null,
    address: by.address ?? null,
    detail: detail === undefined ? null : JSON.stringify(detail),
  })
}

const insertRow = prepare<AuditTables, AuditRow, unknown>((db, row) =>
  db.insertInto('audit').values({
    id: row.id,
    at: row.at,
    event: row.event,
    actor: row.actor,
    subject: row.subject,
    session_id: row.session_id,
    client_id: row.client_id,
    address: row.address,
    detail: row.detail,
  }),
)

/**
 * Whether the record has an entry about this event and subject.
 *
 * @typeParam Event the events of the feature that writes the entry
 */
export async function hasEntry<Event extends string = never>(
  transaction: Transaction,
  { event, subject }: { readonly event: NoInfer<Event>; readonly subject: string },
): Promise<boolean> {
  return (await findEntry(transaction, { event, subject })).length > 0
}

const findEntry = prepare<AuditTables, Pick<AuditRow, 'event' | 'subject'>, Pick<AuditRow, 'id'>>(
  (db, { event, subject }) =>
    db
      .selectFrom('audit')
      .select('id')
      .where('subject', '=', subject)
      .where('event', '=', event)
      .limit(1),
)
