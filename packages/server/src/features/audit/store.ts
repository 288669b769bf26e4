import type { Kysely, Transaction } from 'kysely'
import { lowestRowId, randomRowId } from 'keystile/internal'
import { command, type AnyCommand, type Command } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { AuditRow, Tables } from '../../storage/tables.ts'
import type { AuditEntry } from './entry.ts'

const insertRow = prepare<AuditRow, unknown>((db, row) =>
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
 * Writes an entry as part of the transaction that makes the change: there is none without the other.
 *
 * @typeParam Event the events that the caller declares; it must name them
 */
export async function insertAudit<Event extends string = never>(
  transaction: Transaction<Tables>,
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

/** Writes an entry down that belongs to no change: a refusal, which is thrown when this is committed. */
export const recordAudit: Command<AuditEntry, void> = command('recordAudit', insertAudit<string>)

const maxPurgedAtOnce = 500

/** Deletes what is older than this, 500 rows at most and the oldest first. @returns how many those were */
export const purgeAudit: Command<{ readonly before: number }, { readonly purged: number }> = command(
  'purgeAudit',
  async (transaction, { before }) => {
    const { numDeletedRows } = await transaction
      .deleteFrom('audit')
      .where('id', 'in', (from) =>
        from
          .selectFrom('audit')
          .select('id')
          .where('id', '<', lowestRowId(before))
          .orderBy('id')
          .limit(maxPurgedAtOnce),
      )
      .executeTakeFirstOrThrow()
    return { purged: Number(numDeletedRows) }
  },
)

/** Which rows are read. */
export interface AuditFilter {
  /** From this instant on. */
  readonly since?: number | undefined
  readonly subject?: string | undefined
  /** Only the last ones, so many. */
  readonly last?: number | undefined
}

const pageSize = 500

/** Reads the record, the oldest row first, as it is when a row is asked for. */
export async function* listAudit(reader: Kysely<Tables>, filter: AuditFilter): AsyncIterable<AuditRow> {
  const { since = 0, subject, last } = filter
  const all = reader.selectFrom('audit').selectAll()
  const query = subject === undefined ? all : all.where('subject', '=', subject)
  let after = lowestRowId(since)
  if (last !== undefined) {
    const rows = await query.where('id', '>', after).orderBy('id', 'desc').limit(last).execute()
    yield* rows.toReversed()
    return
  }
  for (;;) {
    const page = await query.where('id', '>', after).orderBy('id').limit(pageSize).execute()
    yield* page
    const last = page.at(-1)
    if (page.length < pageSize || !last) return
    after = last.id
  }
}

export const commands: readonly AnyCommand[] = [recordAudit, purgeAudit]
