import { clockMarginMilliseconds } from '../../feature/clean-up.ts'
import type { Feature } from '../../feature/feature.ts'
import type { GaugeMetric } from '../../feature/metric.ts'
import { purgeEvents } from './store.ts'

/**
 * The age of the revocations. Alert on this metric: while the feed is stale, all tokens are
 * refused.
 */
export const feedAge: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_feed_age_seconds',
  help: 'Time since revocations were last read; stale from 4 s on.',
}

/** Revocation events. Each event gets a number after its commit, and every process reads it. */
export const feature: Feature = {
  name: 'events',
  metrics: [feedAge],
  cleanUp: [
    // Deletes events whose revoked tokens have all expired.
    { command: purgeEvents, time: 'recorded', before: (time) => time - clockMarginMilliseconds },
  ],
}
