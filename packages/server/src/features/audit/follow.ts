import type { Clock } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { listAudit, type AuditFilter } from './store.ts'
import type { AuditRow } from './tables.ts'

/**
 * How much later than its time a row may appear: for so long its transaction may have waited for
 * its turn or a lock.
 */
const lateMilliseconds = 30_000

/**
 * Reads the record, and then what is added to it. Rows do not appear in the order of their ids:
 * whoever waited for a lock commits after somebody later. So the last 30 s are read again each
 * time, and what was given before is left out.
 *
 * @param pause waits before the record is read again, and says whether to go on
 */
export async function* followAudit(
  { reader }: Pick<Database, 'reader'>,
  filter: AuditFilter,
  { clock, pause }: { readonly clock: Clock; pause(): Promise<boolean> },
): AsyncIterable<AuditRow> {
  const { subject } = filter
  let newest = 0
  for await (const { at } of listAudit(reader, { subject, last: 1 })) newest = at
  let horizon = 0
  const moveHorizon = (): void => {
    // Neither a writer whose clock is ahead nor our own clock moves it beyond what may still
    // appear.
    horizon = Math.max(horizon, Math.min(newest, clock.now()) - lateMilliseconds)
  }
  moveHorizon()
  let known = new Set<string>()
  // Before the past is read: what appears in between is new.
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
