import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createCounter, createGauge, createHistogram, formatFamilies, type Family } from './exposition.ts'
import { guardReasons, outcomes, type Observer, type Outcome } from './observer.ts'

/** What a server tells about itself at the moment it is asked. */
export interface Vitals {
  /** Passwords that wait to be hashed, or are being hashed. */
  readonly hashQueueLength: number
  /** Commands that wait to be written to the database, or are being written. */
  readonly writeQueueLength: number
  /** Since revocations were last read. */
  readonly feedAgeSeconds: number
  /** That are open. */
  readonly connections: number
}

/** A request that was answered. */
export interface Answered {
  /** The pattern of the route, `-` for what is none of ours; never the path. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

/** Counts of one server. */
export interface Metrics {
  readonly observer: Observer
  onAnswer(answered: Answered): void
  /** A connection was turned away: there are as many as there may be. */
  onConnectionDropped(): void
  /** Everything, in the text format of Prometheus. What is said of the event loop is since the last time. */
  read(vitals: Vitals): string
  close(): void
}

const resolutionMilliseconds = 20
/** What a scrape says it reads (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/** Labels are of closed sets: no name, address, token or path that anybody sent. */
export function createMetrics(): Metrics {
  const byOutcome = outcomes.map((outcome) => ({ outcome }))
  const grants = {
    login: createCounter<{ outcome: Outcome }>(
      { name: 'keystile_logins_total', help: 'Logins, by outcome.' },
      byOutcome,
    ),
    refresh: createCounter<{ outcome: Outcome }>(
      { name: 'keystile_refreshes_total', help: 'Refreshes, by outcome.' },
      byOutcome,
    ),
  }
  const refusals = createCounter<{ reason: string }>(
    { name: 'keystile_guard_refusals_total', help: 'Requests that a guard did not let in, by reason.' },
    guardReasons.map((reason) => ({ reason })),
  )
  const requests = createCounter<{ route: string; status: string }>({
    name: 'keystile_requests_total',
    help: 'Answered requests, by route and status.',
  })
  const requestSeconds = createHistogram<{ route: string }>({
    name: 'keystile_request_seconds',
    help: 'Time from a whole header to the answer, by route.',
  })
  const hashSeconds = createHistogram<Record<string, never>>({
    name: 'keystile_hash_seconds',
    help: 'Time from asking for a hash to having it, the wait in the queue included.',
  })
  const dropped = createCounter<Record<string, never>>(
    { name: 'keystile_connections_dropped_total', help: 'Connections turned away because there were too many.' },
    [{}],
  )
  const delay = monitorEventLoopDelay({ resolution: resolutionMilliseconds })
  delay.enable()
  const counted = [grants.login, grants.refresh, refusals, requests, requestSeconds, hashSeconds, dropped]
  // Between two samples there is the resolution, and what comes on top is delay.
  const eventLoopDelay = (percent: number): number =>
    Math.max(0, delay.percentile(percent) / 1e9 - resolutionMilliseconds / 1000)
  return {
    observer: {
      onGrant: (grant, outcome) => grants[grant].add({ outcome }),
      onGuardRefusal: (reason) => refusals.add({ reason }),
      onHash: (seconds) => hashSeconds.observe({}, seconds),
    },
    onAnswer({ route, status, seconds }) {
      requests.add({ route, status: String(status) })
      requestSeconds.observe({ route }, seconds)
    },
    onConnectionDropped: () => dropped.add({}),
    read(vitals) {
      const delays = [50, 99].map((percent) => {
        const help = `How late the event loop was, since it was last asked: percentile ${percent}.`
        return createGauge({ name: `keystile_event_loop_delay_p${percent}_seconds`, help }, eventLoopDelay(percent))
      })
      delay.reset()
      return formatFamilies([...counted, ...vitalFamilies(vitals), ...delays, ...processFamilies()])
    },
    close: () => void delay.disable(),
  }
}

function vitalFamilies({ hashQueueLength, writeQueueLength, feedAgeSeconds, connections }: Vitals): readonly Family[] {
  return [
    createGauge(
      { name: 'keystile_hash_queue_length', help: 'Passwords that wait to be hashed, or are being hashed.' },
      hashQueueLength,
    ),
    createGauge(
      { name: 'keystile_write_queue_length', help: 'Commands that wait to be written, or are being written.' },
      writeQueueLength,
    ),
    createGauge(
      { name: 'keystile_feed_age_seconds', help: 'Time since revocations were last read; 4 s and more are stale.' },
      feedAgeSeconds,
    ),
    createGauge({ name: 'keystile_connections', help: 'Open connections.' }, connections),
  ]
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
    createGauge({ name: 'process_start_time_seconds', help: 'When it was started, since 1970.' }, startedAt),
    createGauge({ name: 'nodejs_heap_size_used_bytes', help: 'Heap in use.' }, heapUsed),
    createGauge({ name: 'nodejs_external_memory_bytes', help: 'Buffers outside of the heap.' }, external),
  ]
}
