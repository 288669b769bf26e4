// Reads and writes rows of the audit record.
import { lowestRowId } from 'keystile/internal'
import { maxPurgedAtOnce, type PurgeCommand } from '../../../feature/clean-up.ts'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { hasTable } from '../../../storage/schema.ts'
import type { AuditEntry } from './entry.ts'
import { insertAudit } from './in-transaction.ts'
import type { AuditRow, AuditTables } from './tables.ts'

/**
 * Writes the audit entry of a refusal, in its own transaction. The caller refuses the request after
 * the commit.
 */
export const recordAudit: Command<AuditEntry, void> = command('recordAudit', insertAudit<string>)

/** Deletes rows that are older than the time `before`, oldest first. */
export const purgeAudit: PurgeCommand = command('purgeAudit', async (transaction, { before }) => {
  const db = inTables<AuditTables>(transaction)
  const found = await db
    .selectFrom('audit')
    .select('id')
    .where('id', '<', lowestRowId(before))
    .orderBy('id')
    .limit(maxPurgedAtOnce)
    .execute()
  if (found.length === 0) return { purged: 0 }

  // Two statements: with a subquery, PostgreSQL may read the whole table to delete these rows.
  const ids = found.map(({ id }) => id)
  await db.deleteFrom('audit').where('id', 'in', ids).execute()
  return { purged: found.length }
})

export interface AuditFilter {
  /** Selects only rows of this time or later. The time is in milliseconds. */
  readonly since?: number | undefined
  readonly subject?: string | undefined
  /** Selects only the newest rows, at most this many. */
  readonly last?: number | undefined
}

/**
 * The number of rows that one query reads. The audit record can have more rows than fit in memory.
 */
const pageSize = 500

/**
 * Yields rows, oldest first. If `last` is undefined, also yields rows that are added during the
 * iteration.
 */
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
    const newest = page.at(-1)
    if (page.length < pageSize || !newest) return
    after = newest.id
  }
}

export async function hasEntriesOf(reader: Reader, subject: string): Promise<boolean> {
  const db = inTables<AuditTables>(reader).selectFrom('audit')
  return (await db.select('id').where('subject', '=', subject).executeTakeFirst()) !== undefined
}

/**
 * Returns the time of the newest row, in milliseconds. Returns undefined if the table is empty or
 * does not exist.
 */
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
