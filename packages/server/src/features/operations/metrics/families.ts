// Counters, histograms and gauges. `exposition.ts` writes them as text.

import type { CounterMetric, HistogramMetric, Labels } from '../../../feature/metric.ts'
import { combine, createLabelTable } from './label-table.ts'

export interface Sample {
  /** The end of the sample's name, such as `_sum`. It follows the name of the family. */
  readonly suffix?: string
  readonly labels?: Labels
  readonly value: number
}

/** A metric family: the numbers that share a name, as Prometheus reads them. */
export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  samples(): readonly Sample[]
}

/**
 * Counts events by their labels. The counter keeps every combination of labels in memory, so label
 * values must come from closed sets. With values from requests, an attacker could fill the memory.
 */
export interface Counter<L extends Labels> extends Family {
  add(labels: L, amount?: number): void
}

/**
 * Counts durations in seconds by their labels. Label values must come from closed sets, as for a
 * `Counter`.
 */
export interface Histogram<L extends Labels> extends Family {
  observe(labels: L, seconds: number): void
}

/**
 * The upper bounds of the buckets of a histogram, in seconds. A token check takes about 1 ms. After
 * 10 s, most callers have stopped waiting.
 */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/**
 * Creates a counter. All combinations of known label values start at 0, so that Prometheus shows
 * the rate 0 for an event that has not happened yet.
 */
export function createCounter<L extends Labels>({
  name,
  help,
  labels: known,
}: CounterMetric<L>): Counter<L> {
  const counts = createLabelTable<{ value: number }>(Object.keys(known), () => ({ value: 0 }))
  for (const labels of combine(known)) counts.get(labels)
  return {
    name,
    help,
    type: 'counter',
    add(labels, amount = 1) {
      counts.get(labels).value += amount
    },
    samples: () => counts.entries().map(({ labels, entry: { value } }) => ({ labels, value })),
  }
}

/**
 * Creates a histogram with the buckets of `bounds`. A combination of labels is missing from the
 * output until a duration with these labels was observed.
 */
export function createHistogram<L extends Labels>({
  name,
  help,
  labels: known,
}: HistogramMetric<L>): Histogram<L> {
  const table = createLabelTable<{ readonly counts: number[]; sum: number }>(
    Object.keys(known),
    () => ({
      counts: Array.from({ length: bounds.length + 1 }, () => 0),
      sum: 0,
    }),
  )
  return {
    name,
    help,
    type: 'histogram',
    observe(labels, seconds) {
      const entry = table.get(labels)
      const found = bounds.findIndex((bound) => seconds <= bound)
      const bucket = found < 0 ? bounds.length : found
      entry.counts[bucket] = (entry.counts[bucket] ?? 0) + 1
      entry.sum += seconds
    },
    samples: () =>
      table.entries().flatMap(({ labels, entry: { counts, sum } }) => {
        let count = 0
        // Each bucket of Prometheus also counts what is in the smaller ones.
        const buckets = counts.map((here, i) => {
          count += here
          const le = String(bounds[i] ?? '+Inf')
          return { suffix: '_bucket', labels: { ...labels, le }, value: count }
        })
        return [
          ...buckets,
          { suffix: '_sum', labels, value: sum },
          { suffix: '_count', labels, value: count },
        ]
      }),
  }
}

export function createGauge(named: Pick<Family, 'name' | 'help'>, value: number): Family {
  return { ...named, type: 'gauge', samples: () => [{ value }] }
}
