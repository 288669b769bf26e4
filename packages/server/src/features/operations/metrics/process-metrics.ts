// The metrics of the process itself: its time, its memory and its event loop.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createGauge, type Family } from './families.ts'

/**
 * The time between two samples of the event loop. At 20 ms, the samples show every delay that a
 * caller notices, and cost almost nothing.
 */
const resolutionMilliseconds = 20

export interface ProcessMetrics {
  /** Reads the metrics. The event loop delay covers the time since the previous call. */
  read(): readonly Family[]
  /** Stops measuring the event loop. */
  close(): void
}

/** Starts to measure the event loop. */
export function measureProcess(): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: resolutionMilliseconds })
  delay.enable()

  function delayOf(percent: number): Family {
    // Without a delay, the time between two samples is `resolutionMilliseconds`. All further time
    // is delay.
    const seconds = delay.percentile(percent) / 1e9 - resolutionMilliseconds / 1000
    const name = `keystile_event_loop_delay_p${percent}_seconds`
    const help = `Event loop delay since the last scrape: percentile ${percent}.`
    return createGauge({ name, help }, Math.max(0, seconds))
  }

  return {
    read() {
      const delays = [delayOf(50), delayOf(99)]
      delay.reset()
      return [...delays, ...readUsage()]
    },
    close: () => void delay.disable(),
  }
}

/**
 * Returns what the process uses, under the names of the Prometheus client libraries, so that common
 * dashboards work.
 */
function readUsage(): readonly Family[] {
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
