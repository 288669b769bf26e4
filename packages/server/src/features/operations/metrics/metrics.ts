// Counters and gauges for `/metrics`; `exposition.ts` writes them as text. cli/serve.ts creates the
// counters and passes them to server/wire/wire.ts as a `Meter` (feature/metric.ts). So each server
// has its own counters, even if two run in one process. Keystile in an app has no metrics: it gets
// a meter that does nothing. The value of a gauge is read when `/metrics` is requested
// (server/health.ts).
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Labels, Meter, Metric, Reading } from '../../../feature/metric.ts'
import { formatFamilies } from './exposition.ts'
import {
  createCounter,
  createGauge,
  createHistogram,
  type Counter,
  type Family,
  type Histogram,
} from './families.ts'

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
 * The time between two samples of the event loop. At 20 ms, the samples show every delay that a
 * caller notices, and cost almost nothing.
 */
const resolutionMilliseconds = 20
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

  const delay = monitorEventLoopDelay({ resolution: resolutionMilliseconds })
  delay.enable()
  // Without a delay, the time between two samples is `resolutionMilliseconds`. All further time is
  // delay.
  const eventLoopDelay = (percent: number): number =>
    Math.max(0, delay.percentile(percent) / 1e9 - resolutionMilliseconds / 1000)

  return {
    meter: {
      add: (counter, labels, amount) => counters.get(counter)?.add(labels, amount),
      observe: (histogram, labels, seconds) => histograms.get(histogram)?.observe(labels, seconds),
    },
    read(readings) {
      const gauges = readings.map(({ gauge, value }) => createGauge(gauge, value))
      const delays = [50, 99].map((percent) => {
        const help = `Event loop delay since the last scrape: percentile ${percent}.`
        return createGauge(
          { name: `keystile_event_loop_delay_p${percent}_seconds`, help },
          eventLoopDelay(percent),
        )
      })
      delay.reset()
      return formatFamilies([...counted, ...gauges, ...delays, ...processFamilies()])
    },
    close: () => void delay.disable(),
  }
}

/**
 * Returns the metrics of the process, under the names that Prometheus client libraries use, so that
 * common dashboards work.
 */
function processFamilies(): readonly Family[] {
  const { user, system } = process.cpuUsage()
  const startedAt = Math.round(Date.now() / 1000 - process.uptime())
  const { rss, heapUsed, external } = process.memoryUsage()
  return [
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Processor time of all threads.',
      samples: () => [{ value: (user + system) / 1e6 }],
    },
    createGauge({ name: 'process_resident_memory_bytes', help: 'Memory in use.' }, rss),
    createGauge(
      {
        name: 'process_start_time_seconds',
        help: 'Start time of the process in seconds since 1970.',
      },
      startedAt,
    ),
    createGauge({ name: 'nodejs_heap_size_used_bytes', help: 'Heap in use.' }, heapUsed),
    createGauge(
      { name: 'nodejs_external_memory_bytes', help: 'Memory of buffers outside the heap.' },
      external,
    ),
  ]
}
