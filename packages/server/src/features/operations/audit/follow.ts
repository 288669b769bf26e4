import type { Clock } from 'keystile/internal'
import type { Database, Reader } from '../../../storage/database.ts'
import { listAudit, type AuditFilter } from './store.ts'
import type { AuditRow } from './tables.ts'

/**
 * The longest expected wait until readers see a row, counted from the time in the row. A row gets
 * its time before its transaction waits for a connection or a lock, but readers see the row only
 * after the commit.
 */
const lateMilliseconds = 30_000

/**
 * Yields the stored rows of the audit record, and then each new row. Rows do not appear in the
 * order of their ids: a transaction that waits for a lock may commit after a transaction with a
 * later id. So each poll reads the last 30 s again and skips the rows that were yielded before.
 *
 * @param pause waits until it is time for the next poll; if it resolves to false, the iteration
 *   ends
 */
export async function* followAudit(
  { reader }: Pick<Database, 'reader'>,
  filter: AuditFilter,
  { clock, pause }: { readonly clock: Clock; pause(): Promise<boolean> },
): AsyncIterable<AuditRow> {
  const { subject } = filter
  let newest = await readNewestTime(reader, subject)
  let horizon = horizonOf(newest, clock)

  // The rows since the horizon that were yielded, or that the filter leaves out. They are read
  // first: a row that appears after this read counts as new.
  let known = await readIds(reader, { subject, since: horizon })
  for await (const row of listAudit(reader, filter)) {
    if (row.at >= horizon) known.add(row.id)
    yield row
  }

  while (await pause()) {
    horizon = Math.max(horizon, horizonOf(newest, clock))
    const read = new Set<string>()
    for await (const row of listAudit(reader, { subject, since: horizon })) {
      read.add(row.id)
      if (known.has(row.id)) continue
      newest = Math.max(newest, row.at)
      yield row
    }
    known = read
  }
}

/**
 * Returns the time since which rows can still appear; all older rows are there. If the clock of a
 * writer or of this process is ahead, the earlier of the two times is right.
 */
function horizonOf(newest: number, clock: Clock): number {
  return Math.max(0, Math.min(newest, clock.now()) - lateMilliseconds)
}

async function readNewestTime(reader: Reader, subject: string | undefined): Promise<number> {
  for await (const { at } of listAudit(reader, { subject, last: 1 })) return at
  return 0
}

async function readIds(reader: Reader, filter: AuditFilter): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const { id } of listAudit(reader, filter)) ids.add(id)
  return ids
}
