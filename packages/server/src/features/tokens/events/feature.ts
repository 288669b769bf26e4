import { clockMarginMilliseconds } from '../../../feature/clean-up.ts'
import type { Feature } from '../../../feature/feature.ts'
import type { GaugeMetric } from '../../../feature/metric.ts'
import { purgeEvents } from './store.ts'

/**
 * How long ago this process last read the revocations. Set an alert on this metric: while the feed
 * is stale, the server refuses all tokens.
 */
export const feedAge: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_feed_age_seconds',
  help: 'Time since revocations were last read. From 4 s on, they are stale.',
}

/**
 * Revocation events. Each event gets a number after its commit. Every process reads the events in
 * the order of their numbers.
 */
export const feature: Feature = {
  name: 'events',
  metrics: [feedAge],
  cleanUp: [
    // Deletes events whose revoked tokens have all expired.
    { command: purgeEvents, time: 'recorded', before: (time) => time - clockMarginMilliseconds },
  ],
}
