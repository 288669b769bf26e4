// Counters and gauges for `/metrics`; `exposition.ts` writes them as text. cli/serve.ts creates the
// counters and passes them to server/wire/wire.ts as a `Meter` (feature/metric.ts). So each server
// has its own counters, even if two run in one process. Keystile in an app has no metrics: it gets
// a meter that does nothing. The value of a gauge is read when `/metrics` is requested
// (server/health.ts).
import type { Labels, Meter, Metric, Reading } from '../../../feature/metric.ts'
import { formatFamilies } from './exposition.ts'
import {
  createCounter,
  createGauge,
  createHistogram,
  type Counter,
  type Histogram,
} from './families.ts'
import { measureProcess } from './process-metrics.ts'

export interface Metrics {
  readonly meter: Meter
  /**
   * Returns all metrics in the text format of Prometheus. The event loop delay covers the time
   * since the previous call.
   */
  read(readings: readonly Reading[]): string
  /** Stops measuring the event loop. */
  close(): void
}

/**
 * The content type of the answer to a scrape
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Creates the counters and histograms of these metrics. Gauges have no state: the caller of
 * `read()` passes their values. The meter ignores a metric that is not in `metrics`.
 */
export function createMetrics(metrics: readonly Metric[]): Metrics {
  const counters = new Map<Metric, Counter<Labels>>()
  const histograms = new Map<Metric, Histogram<Labels>>()
  for (const metric of metrics) {
    if (metric.type === 'counter') counters.set(metric, createCounter(metric))
    if (metric.type === 'histogram') histograms.set(metric, createHistogram(metric))
  }
  const counted = metrics.flatMap((metric) => counters.get(metric) ?? histograms.get(metric) ?? [])

  const ofProcess = measureProcess()
  return {
    meter: {
      add: (counter, labels, amount) => counters.get(counter)?.add(labels, amount),
      observe: (histogram, labels, seconds) => histograms.get(histogram)?.observe(labels, seconds),
    },
    read(readings) {
      const gauges = readings.map(({ gauge, value }) => createGauge(gauge, value))
      return formatFamilies([...counted, ...gauges, ...ofProcess.read()])
    },
    close: ofProcess.close,
  }
}
