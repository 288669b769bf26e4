import type { GaugeMetric, HistogramMetric, Metric } from '../../feature/metric.ts'

export const hashSeconds: HistogramMetric<{}> = {
  type: 'histogram',
  name: 'keystile_hash_seconds',
  help: 'Time from asking for a hash to having it, the wait in the queue included.',
  labels: {},
}

export const hashQueueLength: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_hash_queue_length',
  help: 'Passwords that wait to be hashed, or are being hashed.',
}

export const metrics: readonly Metric[] = [hashSeconds, hashQueueLength]
