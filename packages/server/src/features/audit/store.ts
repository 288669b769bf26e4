import { lowestRowId } from 'keystile/internal'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Reader,
} from '../../storage/database.ts'
import { hasTable } from '../../storage/migrate.ts'
import type { AuditEntry } from './entry.ts'
import { insertAudit } from './in-transaction.ts'
import type { AuditRow, AuditTables } from './tables.ts'

/**
 * Writes an entry down that belongs to no change: a refusal, which is thrown when this is
 * committed.
 */
export const recordAudit: Command<AuditEntry, void> = command('recordAudit', insertAudit<string>)

const maxPurgedAtOnce = 500

/**
 * Deletes what is older than this, 500 rows at most and the oldest first. @returns how many those
 * were
 */
export const purgeAudit: Command<{ readonly before: number }, { readonly purged: number }> =
  command('purgeAudit', async (transaction, { before }) => {
    const { numDeletedRows } = await inTables<AuditTables>(transaction)
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
  })

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
export async function* listAudit(reader: Reader, filter: AuditFilter): AsyncIterable<AuditRow> {
  const { since = 0, subject, last } = filter
  const all = inTables<AuditTables>(reader).selectFrom('audit').selectAll()
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

/** The instant of the newest row, in milliseconds; undefined also where there is no record yet. */
export async function readNewestInstant(reader: Reader): Promise<number | undefined> {
  if (!(await hasTable(reader, 'audit'))) return undefined
  const db = inTables<AuditTables>(reader)
  const newest = await db
    .selectFrom('audit')
    .select('at')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return newest?.at
}

export const commands: readonly AnyCommand[] = [recordAudit, purgeAudit]
