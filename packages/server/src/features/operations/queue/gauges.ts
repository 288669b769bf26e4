import type { GaugeMetric, Reading } from '../../../feature/metric.ts'
import type { RowCounts } from './rows.ts'

/** How old a count of the rows may become. After that, the rows are counted again. */
const countMilliseconds = 10_000

/**
 * Returns a function that reads the gauges of a queue. It never waits: it returns the numbers of
 * the last count, and counts again in the background if they are older than 10 s. If the count
 * fails, it keeps the old numbers.
 */
export function createQueueGauges(
  { waiting, dead }: Readonly<Record<keyof RowCounts, GaugeMetric>>,
  count: () => Promise<RowCounts>,
): () => readonly Reading[] {
  let counts: RowCounts = { waiting: 0, dead: 0 }
  let countedAt = -Infinity

  return () => {
    if (performance.now() - countedAt > countMilliseconds) {
      countedAt = performance.now()
      count().then(
        (counted) => (counts = counted),
        () => {},
      )
    }
    return [
      { gauge: waiting, value: counts.waiting },
      { gauge: dead, value: counts.dead },
    ]
  }
}
