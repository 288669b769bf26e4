import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { requests, requestSeconds } from '../../../listener/metrics.ts'
import { metrics as declared } from '../../../server/features.ts'
import { hashSeconds } from '../../credentials/password/feature.ts'
import { createMetrics } from './metrics.ts'

describe('docs/guides/monitoring.md', () => {
  it('docs/guides/monitoring.md names exactly the metrics that exist', () => {
    const page = readFileSync(
      join(import.meta.dirname, '../../../../../../docs/guides/monitoring.md'),
      'utf8',
    )
    const metrics = createMetrics(declared)
    metrics.meter.add(requests, { route: '-', status: '200' })
    metrics.meter.observe(requestSeconds, { route: '-' }, 1)
    metrics.meter.observe(hashSeconds, {}, 1)
    const gauges = declared.filter((metric) => metric.type === 'gauge')
    const said = metrics.read(gauges.map((gauge) => ({ gauge, value: 0 })))
    metrics.close()
    const types = Array.from(
      said.matchAll(/^# TYPE (\w+) (\w+)$/gm),
      ([, name, type]) => [name!, type!] as const,
    )
    const asked = page
      .match(/\b(?:keystile|process|nodejs)_[a-z\d_]+/g)!
      .map((name) => name.replace(/_bucket$/, ''))
    assert.deepEqual([...new Set(asked)].toSorted(), types.map(([name]) => name).toSorted())
    // Prometheus reserves these two labels for histograms and summaries.
    for (const [name, type] of types)
      assert.equal(
        new RegExp(`^${name}\\w*{.*\\b(?:le|quantile)="`, 'm').test(said),
        type === 'histogram',
        name,
      )
  })
})
