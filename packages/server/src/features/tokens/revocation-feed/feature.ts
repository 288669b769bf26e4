import type { Feature } from '../../../feature/feature.ts'
import type { GaugeMetric } from '../../../feature/metric.ts'

/**
 * The number of open streams. At most 1,000 may be open, and 100 for each client. Beyond that,
 * verifiers get 503.
 */
export const revocationStreams: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_revocation_streams',
  help: 'Open answers of GET /revocations: verifiers in other processes that read revocations.',
}

/** The feed of revocations for verifiers in other processes. */
export const feature: Feature = { name: 'revocation-feed', metrics: [revocationStreams] }
