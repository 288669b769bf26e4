import type { GaugeMetric, Metric } from '../../feature/metric.ts'

export const feedAge: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_feed_age_seconds',
  help: 'Time since revocations were last read; 4 s and more are stale.',
}

export const metrics: readonly Metric[] = [feedAge]
