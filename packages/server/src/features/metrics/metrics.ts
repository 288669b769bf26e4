import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Labels, Meter, Metric, Reading } from '../../feature/metric.ts'
import {
  createCounter,
  createGauge,
  createHistogram,
  formatFamilies,
  type Counter,
  type Family,
  type Histogram,
} from './exposition.ts'

/** Counts of one server. */
export interface Metrics {
  readonly meter: Meter
  /**
   * Everything, in the text format of Prometheus. The delay of the event loop is that since the
   * last time.
   */
  read(readings: readonly Reading[]): string
  close(): void
}

const resolutionMilliseconds = 20
/** What a scrape says it reads (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Makes the counters and histograms of these metrics. A gauge is told where a reading of it is
 * passed.
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
  // Between two samples there is the resolution, and what comes on top is delay.
  const eventLoopDelay = (percent: number): number =>
    Math.max(0, delay.percentile(percent) / 1e9 - resolutionMilliseconds / 1000)

  return {
    meter: {
      add: (counter, labels) => counters.get(counter)?.add(labels),
      observe: (histogram, labels, seconds) => histograms.get(histogram)?.observe(labels, seconds),
    },
    read(readings) {
      const gauges = readings.map(({ gauge, value }) => createGauge(gauge, value))
      const delays = [50, 99].map((percent) => {
        const help = `How late the event loop was, since it was last asked: percentile ${percent}.`
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

/** Under the names that every exporter gives them. */
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
      { name: 'process_start_time_seconds', help: 'When it was started, since 1970.' },
      startedAt,
    ),
    createGauge({ name: 'nodejs_heap_size_used_bytes', help: 'Heap in use.' }, heapUsed),
    createGauge(
      { name: 'nodejs_external_memory_bytes', help: 'Buffers outside of the heap.' },
      external,
    ),
  ]
}
