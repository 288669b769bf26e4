import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { GaugeMetric } from '../../feature/metric.ts'
import { createQueueGauges } from './gauges.ts'

it('the gauges of a queue return the last count, and count again after 10 s', async (t) => {
  const gaugeOf = (name: string): GaugeMetric => ({ type: 'gauge', name, help: '' })
  const [waiting, dead] = [gaugeOf('waiting'), gaugeOf('dead')]
  let time = 0
  t.mock.method(performance, 'now', () => time)
  let counted = 0
  const read = createQueueGauges({ waiting, dead }, async () => {
    if (++counted === 2) throw new Error('no database')
    return { waiting: counted, dead: counted * 10 }
  })
  const readLater = async (
    milliseconds: number,
  ): Promise<readonly (readonly [string, number])[]> => {
    time += milliseconds
    const readings = read()
    await setImmediate()
    return readings.map(({ gauge, value }) => [gauge.name, value])
  }

  const [first, second, third] = [0, 1, 3].map((n) => [
    ['waiting', n],
    ['dead', n * 10],
  ])
  assert.deepEqual(await readLater(0), first)
  assert.deepEqual(await readLater(10_000), second)
  assert.equal(counted, 1)
  assert.deepEqual(await readLater(1), second)
  assert.deepEqual([await readLater(10_000), counted], [second, 2], 'the count has failed')
  assert.deepEqual(await readLater(1), second)
  assert.deepEqual([await readLater(0), counted], [third, 3])
})
