import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseCost, defaultCost, findCostFault, type HashingCost } from './hashing-cost.ts'

describe('findCostFault', () => {
  it('findCostFault demands the minimum memory that OWASP gives for each number of passes', () => {
    const table = [
      [1, 47_104],
      [2, 19_456],
      [3, 12_288],
      [4, 9_216],
      [5, 7_168],
      [6, 7_168],
      [100, 7_168],
    ] as const
    for (const [passes, memoryKiB] of table) {
      assert.equal(findCostFault({ memoryKiB, passes }), undefined, `${passes}`)
      const fault = findCostFault({ memoryKiB: memoryKiB - 1, passes })
      assert.equal(
        fault,
        `must have memoryKiB: ${memoryKiB} or more for passes: ${passes} (OWASP, Password Storage Cheat Sheet)`,
      )
    }
  })

  it('findCostFault refuses a cost if verify() would refuse a hash of this cost', () => {
    for (const [memoryKiB, passes, isTaken] of [
      [1_048_576, 4, true],
      [1_048_577, 1, false],
      [1_048_576, 5, false],
      [8_192, 512, true],
      [8_192, 513, false],
    ] as const)
      assert.equal(
        findCostFault({ memoryKiB, passes }) === undefined,
        isTaken,
        `${memoryKiB} ${passes}`,
      )
  })

  it('findCostFault accepts only whole numbers of 1 or more', () => {
    for (const cost of [
      { memoryKiB: 19_456.5, passes: 2 },
      { memoryKiB: 50_000, passes: 1.5 },
      { memoryKiB: 50_000, passes: 0 },
      { memoryKiB: NaN, passes: 2 },
    ])
      assert.match(findCostFault(cost)!, /whole numbers of at least 1/, JSON.stringify(cost))
  })
})

describe('chooseCost', () => {
  /**
   * Creates a machine that takes `speed` milliseconds for each MiB of each pass. It records every
   * cost that it measures.
   */
  function machine(speed: number): {
    measure(cost: HashingCost): number
    readonly asked: HashingCost[]
  } {
    const asked: HashingCost[] = []
    const measure = (cost: HashingCost): number =>
      asked.push(cost) && (cost.memoryKiB / 1024) * cost.passes * speed
    return { measure, asked }
  }
  const gib = 1_048_576

  it('chooseCost raises the memory until a hash takes 15/16 of the allowed time', () => {
    for (const speed of [0.05, 0.2, 0.7, 1.3, 2.5]) {
      const { measure, asked } = machine(speed)
      const { cost, milliseconds } = chooseCost(measure, { milliseconds: 100, maxMemoryKiB: gib })
      assert.equal(findCostFault(cost), undefined)
      assert.equal(milliseconds, measure(cost))
      assert.ok(milliseconds <= 100 && milliseconds >= 94 - 2 * speed, `${speed}: ${milliseconds}`)
      assert.ok(asked.length < 12, `${asked.length}`)
    }
  })

  it('chooseCost stops at a cost whose memory plus a sixteenth would be too much', () => {
    const measure = ({ memoryKiB }: HashingCost): number => (memoryKiB < 34 * 1_024 ? 55 : 200)
    for (const maxMemoryKiB of [gib, 34 * 1_024]) {
      const { cost } = chooseCost(measure, { milliseconds: 100, maxMemoryKiB })
      assert.deepEqual(cost, { memoryKiB: 32 * 1_024, passes: 2 })
    }
  })

  it('chooseCost accepts a hash that takes exactly the allowed time', () => {
    const { cost } = chooseCost(() => 100, { milliseconds: 100, maxMemoryKiB: 65_536 })
    assert.deepEqual(cost, { memoryKiB: 62 * 1_024, passes: 2 })
  })

  it('chooseCost never returns less than the default, even on a slow machine', () => {
    const { measure, asked } = machine(50)
    assert.deepEqual(chooseCost(measure, { milliseconds: 100, maxMemoryKiB: gib }), {
      cost: defaultCost,
      milliseconds: 1_900,
    })
    assert.deepEqual(asked, [defaultCost])
    assert.deepEqual(
      chooseCost(measure, { milliseconds: 2_000, maxMemoryKiB: 1_024 }).cost,
      defaultCost,
    )
  })

  it('at the memory limit, chooseCost adds passes instead of memory', () => {
    const { measure } = machine(0.1)
    const { cost } = chooseCost(measure, { milliseconds: 100, maxMemoryKiB: 65_536 + 1_000 })
    assert.deepEqual(cost, { memoryKiB: 65_536, passes: 15 })
  })

  it('even on a fast machine, chooseCost returns a cost that verify() accepts', () => {
    const { measure } = machine(0.000_1)
    const { cost } = chooseCost(measure, { milliseconds: 5_000, maxMemoryKiB: 8 * gib })
    assert.deepEqual(cost, { memoryKiB: gib, passes: 4 })
  })

  it('chooseCost returns a valid cost even if its measurements contradict each other', () => {
    let calls = 0
    const { cost } = chooseCost(() => (calls++ % 3) * 60, { milliseconds: 100, maxMemoryKiB: gib })
    assert.equal(findCostFault(cost), undefined)
  })
})
