import type { Clock } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { listAudit, type AuditFilter } from './store.ts'
import type { AuditRow } from './tables.ts'

/**
 * How long after its own time a row may appear: its transaction may have waited so long for a
 * connection or a lock.
 */
const lateMilliseconds = 30_000

/**
 * Yields the rows of the record, and then each new row. Rows do not appear in the order of their
 * ids: a transaction that waits for a lock commits after a transaction with a later id. So each
 * poll reads the last 30 s again and skips the rows that it has yielded.
 *
 * @param pause waits until the next poll; false ends the iteration
 */
export async function* followAudit(
  { reader }: Pick<Database, 'reader'>,
  filter: AuditFilter,
  { clock, pause }: { readonly clock: Clock; pause(): Promise<boolean> },
): AsyncIterable<AuditRow> {
  const { subject } = filter
  let newest = 0
  for await (const { at } of listAudit(reader, { subject, last: 1 })) newest = at

  /** Rows that are older than this time have been yielded. */
  let horizon = 0
  const moveHorizon = (): void => {
    // The smaller of both times: neither a writer whose clock is ahead nor this process's clock may
    // move the horizon past rows that can still appear.
    horizon = Math.max(horizon, Math.min(newest, clock.now()) - lateMilliseconds)
  }

  moveHorizon()
  let known = new Set<string>()
  // Read before the past: a row that appears in between counts as new.
  for await (const { id } of listAudit(reader, { subject, since: horizon })) known.add(id)
  for await (const row of listAudit(reader, filter)) {
    if (row.at >= horizon) known.add(row.id)
    yield row
  }

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
