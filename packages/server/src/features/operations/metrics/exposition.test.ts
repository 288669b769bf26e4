import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { CounterMetric, GaugeMetric, HistogramMetric } from '../../../feature/metric.ts'
import { formatFamilies } from './exposition.ts'
import { createCounter, createGauge, createHistogram } from './families.ts'
import { createMetrics, metricsType, type Metrics } from './metrics.ts'

const named = { type: 'counter', name: 'a_total', help: 'A.' } as const

describe('formatFamilies', () => {
  it('formatFamilies writes HELP and TYPE lines, and a line for each combination of labels', () => {
    const counter = createCounter<{ route: string; status: string }>({
      type: 'counter',
      name: 'requests_total',
      help: 'Requests.',
      labels: { route: [], status: [] },
    })
    counter.add({ route: '/token', status: '200' })
    counter.add({ route: '/token', status: '200' }, 2)
    counter.add({ route: '/token', status: '400' })
    assert.equal(
      formatFamilies([counter, createGauge({ name: 'age_seconds', help: 'Age.' }, 0.25)]),
      `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{route="/token",status="200"} 3
requests_total{route="/token",status="400"} 1
# HELP age_seconds Age.
# TYPE age_seconds gauge
age_seconds 0.25
`,
    )
  })

  it('formatFamilies writes 0 for declared label values that have no count yet', () => {
    const counter = createCounter({ ...named, labels: { outcome: ['x'] } })
    assert.match(formatFamilies([counter]), /^a_total\{outcome="x"\} 0$/m)
    const two = createCounter({ ...named, labels: { kind: ['x', 'y'], outcome: ['z'] } })
    assert.match(formatFamilies([two]), /kind="x",outcome="z"\} 0\n.*kind="y",outcome="z"\} 0/)
    assert.match(
      formatFamilies([createCounter({ ...named, name: 'b_total', labels: {} })]),
      /^b_total 0$/m,
    )
  })

  it('for each duration, a histogram raises `sum`, `count` and each bucket large enough', () => {
    const histogram = createHistogram<{ route: string }>({
      type: 'histogram',
      name: 't_seconds',
      help: 'T.',
      labels: { route: [] },
    })
    for (const seconds of [0.001, 0.002, 0.5, 0.5, 60]) histogram.observe({ route: '/' }, seconds)
    const lines = formatFamilies([histogram]).split('\n').slice(2, -1)
    assert.equal(lines[0], 't_seconds_bucket{route="/",le="0.001"} 1')
    const buckets = lines
      .slice(0, -2)
      .map((line) => /le="([^"]+)"\} (\d+)$/.exec(line)!.slice(1).join(' '))
    assert.equal(
      buckets.join(', '),
      '0.001 1, 0.0025 2, 0.005 2, 0.01 2, 0.025 2, 0.05 2, 0.1 2, 0.25 2, ' +
        '0.5 4, 1 4, 2.5 4, 5 4, 10 4, +Inf 5',
    )
    assert.deepEqual(lines.slice(-2), [
      't_seconds_sum{route="/"} 61.003',
      't_seconds_count{route="/"} 5',
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

const plainCounter: CounterMetric = { type: 'counter', name: 'a_total', help: 'A.', labels: {} }
const histogram: HistogramMetric = { type: 'histogram', name: 'b_seconds', help: '', labels: {} }
const gauge: GaugeMetric = { type: 'gauge', name: 'c', help: 'C.' }

describe('createMetrics', () => {
  let metrics: Metrics
  beforeEach(() => {
    metrics = createMetrics([histogram, gauge, plainCounter])
  })
  afterEach(() => metrics.close())

  /** Reads the metrics, and returns the value of each name without labels. */
  const readValues = (): ReadonlyMap<string, number> =>
    new Map(
      Array.from(
        metrics.read([{ gauge, value: 3 }]).matchAll(/^(\w+) (\S+)$/gm),
        ([, name = '', value]) => [name, Number(value)] as const,
      ),
    )

  it('metrics.read() returns the declared counters and histograms, and the given gauges', () => {
    metrics.meter.add(plainCounter, {}, 4)
    metrics.meter.observe(histogram, {}, 2)
    metrics.meter.add({ ...plainCounter, name: 'unknown' }, {})
    metrics.meter.observe({ ...histogram, name: 'unknown' }, {}, 2)
    const values = readValues()
    const names = ['a_total', 'b_seconds_count', 'b_seconds_sum', 'c', 'unknown', 'unknown_count']
    assert.deepEqual(
      names.map((name) => values.get(name)),
      [4, 1, 2, 3, undefined, undefined],
    )
    assert.match(metricsType, /^text\/plain; version=0\.0\.4;/)
  })

  it('the metrics contain the processor time, the memory and the start of the process', () => {
    const cpuSeconds = (): number => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    }
    const [cpu, startedAt] = [cpuSeconds(), Date.now() / 1000 - process.uptime()]
    const values = readValues()
    const said = values.get('process_cpu_seconds_total') ?? 0
    assert.ok(said >= cpu && said <= cpuSeconds(), String(said))
    // Both times are rounded.
    assert.ok(Math.abs((values.get('process_start_time_seconds') ?? 0) - startedAt) <= 1)
    for (const name of [
      'process_resident_memory',
      'nodejs_heap_size_used',
      'nodejs_external_memory',
    ])
      assert.ok((values.get(`${name}_bytes`) ?? 0) > 100_000, name)
  })

  it('the metrics contain the event loop delay since the previous read', async () => {
    const readDelays = (): readonly (number | undefined)[] => {
      const values = readValues()
      return ['p50', 'p99'].map((each) => values.get(`keystile_event_loop_delay_${each}_seconds`))
    }
    /** Blocks the event loop, which has run for a while before. */
    const block = async (): Promise<void> => {
      await delay(25)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      await delay(25)
    }
    await block()
    const [median = NaN, most = NaN] = readDelays()
    assert.ok(most > 0.1 && most < 100 && median <= most, `${median} ${most}`)
    assert.deepEqual(readDelays(), [0, 0], 'there are no samples since the last read')
    metrics.close()
    await block()
    assert.deepEqual(readDelays(), [0, 0])
  })
})
