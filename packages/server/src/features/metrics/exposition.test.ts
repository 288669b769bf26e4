import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCounter, createGauge, createHistogram, formatFamilies } from './exposition.ts'

const named = { type: 'counter', name: 'a_total', help: 'A.' } as const

describe('formatFamilies', () => {
  it('formatFamilies writes help, type and a line for each combination of labels', () => {
    const counter = createCounter<{ route: string; status: string }>({
      type: 'counter',
      name: 'requests_total',
      help: 'Requests.',
      labels: { route: [], status: [] },
    })
    counter.add({ route: '/token', status: '200' })
    counter.add({ route: '/token', status: '200' })
    counter.add({ route: '/token', status: '400' })
    assert.equal(
      formatFamilies([counter, createGauge({ name: 'age_seconds', help: 'Age.' }, 0.25)]),
      `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{route="/token",status="200"} 2
requests_total{route="/token",status="400"} 1
# HELP age_seconds Age.
# TYPE age_seconds gauge
age_seconds 0.25
`,
    )
  })

  it('formatFamilies writes 0 for known labels that have no count yet', () => {
    const counter = createCounter({ ...named, labels: { outcome: ['x'] } })
    assert.match(formatFamilies([counter]), /^a_total\{outcome="x"\} 0$/m)
    const two = createCounter({ ...named, labels: { kind: ['x', 'y'], outcome: ['z'] } })
    assert.match(formatFamilies([two]), /kind="x",outcome="z"\} 0\n.*kind="y",outcome="z"\} 0/)
    assert.match(
      formatFamilies([createCounter({ ...named, name: 'b_total', labels: {} })]),
      /^b_total 0$/m,
    )
  })

  it('formatFamilies adds a duration to its bucket, all larger buckets, sum and count', () => {
    const histogram = createHistogram<{ route: string }>({
      type: 'histogram',
      name: 't_seconds',
      help: 'T.',
      labels: { route: [] },
    })
    for (const seconds of [0.001, 0.002, 0.5, 60]) histogram.observe({ route: '/' }, seconds)
    const lines = formatFamilies([histogram]).split('\n').slice(2, -1)
    assert.equal(lines[0], 't_seconds_bucket{route="/",le="0.001"} 1')
    const buckets = lines
      .slice(0, -2)
      .map((line) => /le="([^"]+)"\} (\d+)$/.exec(line)!.slice(1).join(' '))
    assert.equal(
      buckets.join(', '),
      '0.001 1, 0.0025 2, 0.005 2, 0.01 2, 0.025 2, 0.05 2, 0.1 2, 0.25 2, 0.5 3, 1 3, 2.5 3, 5 3, 10 3, +Inf 4',
    )
    assert.deepEqual(lines.slice(-2), [
      't_seconds_sum{route="/"} 60.503',
      't_seconds_count{route="/"} 4',
    ])
  })

  it('formatFamilies escapes quotes, backslashes and line breaks in labels', () => {
    const counter = createCounter<{ a: string }>({
      ...named,
      help: 'One\\two\nthree',
      labels: { a: [] },
    })
    counter.add({ a: '"\\\n' })
    assert.equal(
      formatFamilies([counter]),
      '# HELP a_total One\\\\two\\nthree\n# TYPE a_total counter\na_total{a="\\"\\\\\\n"} 1\n',
    )
  })
})
