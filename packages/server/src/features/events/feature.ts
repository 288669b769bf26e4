import { clockMarginMilliseconds } from '../../feature/clean-up.ts'
import type { Feature } from '../../feature/feature.ts'
import type { GaugeMetric } from '../../feature/metric.ts'
import { purgeEvents } from './store.ts'

export const feedAge: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_feed_age_seconds',
  help: 'Time since revocations were last read; 4 s and more are stale.',
}

/** What was revoked, numbered after its commit, and followed by every process. */
export const feature: Feature = {
  name: 'events',
  metrics: [feedAge],
  cleanUp: [
    // Events that can hit no token any more.
    { command: purgeEvents, time: 'recorded', before: (time) => time - clockMarginMilliseconds },
  ],
}
