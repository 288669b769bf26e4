import { clockMarginMilliseconds } from '../../feature/clean-up.ts'
import type { Feature } from '../../feature/feature.ts'
import type { GaugeMetric } from '../../feature/metric.ts'
import { purgeEvents } from './store.ts'

/** The age of the revocations: the metric to alert on, because a stale feed refuses all tokens. */
export const feedAge: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_feed_age_seconds',
  help: 'Time since revocations were last read; stale from 4 s on.',
}

/** Revocation events: each is numbered after its commit and read by every process. */
export const feature: Feature = {
  name: 'events',
  metrics: [feedAge],
  cleanUp: [
    // Events whose revoked tokens have all expired.
    { command: purgeEvents, time: 'recorded', before: (time) => time - clockMarginMilliseconds },
  ],
}
