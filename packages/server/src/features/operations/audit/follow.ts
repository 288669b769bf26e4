import type { Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
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
  /** The time of the newest row that was read. */
  let newest = 0
  for await (const { at } of listAudit(reader, { subject, last: 1 })) newest = at

  /** All rows that are older than this time have been yielded. */
  let horizon = 0
  const moveHorizon = (): void => {
    // Takes the smaller time: if the clock of a writer or of this process is ahead, the horizon
    // must not move past rows that can still appear.
    horizon = Math.max(horizon, Math.min(newest, clock.now()) - lateMilliseconds)
  }

  // 1. The stored rows. `known` has the ids of those since the horizon that were yielded, or that
  // the filter leaves out. They are read first: a row that appears after this read counts as new.
  moveHorizon()
  let known = new Set<string>()
  for await (const { id } of listAudit(reader, { subject, since: horizon })) known.add(id)
  for await (const row of listAudit(reader, filter)) {
    if (row.at >= horizon) known.add(row.id)
    yield row
  }

  // 2. The new rows.
  while (await pause()) {
    moveHorizon()
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
