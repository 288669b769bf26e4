import type { Feature } from '../../feature/feature.ts'
import type { GaugeMetric } from '../../feature/metric.ts'

/** At the limit of 1,000, or of 100 for each client, further verifiers get 503. */
export const revocationStreams: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_revocation_streams',
  help: 'Open answers of GET /revocations: verifiers in other processes that read revocations.',
}

/** The feed of revocations for verifiers in other processes. */
export const feature: Feature = { name: 'revocation-feed', metrics: [revocationStreams] }
