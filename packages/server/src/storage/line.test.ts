import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { createLine, type Line } from './line.ts'

const patience = 2_000
const busy = { name: 'DatabaseBusyError' }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a line of two places', () => {
  let line: Line
  let time: number

  beforeEach(() => {
    time = 0
    mock.method(performance, 'now', () => time)
    mock.timers.enable({ apis: ['setTimeout'] })
    line = createLine(2, patience)
  })
  afterEach(() => {
    mock.timers.reset()
    mock.restoreAll()
  })

  /** Somebody takes a place and keeps it for so long. */
  const keep = async (milliseconds: number): Promise<void> => {
    const leave = await line.enter()
    time += milliseconds
    leave()
  }

  it('lets two in at once, and whoever comes later in their order, each when one leaves', async () => {
    const leave = [await line.enter(), await line.enter()]
    const entered: number[] = []
    const later = [1, 2].map(async (n) => {
      const left = await line.enter()
      entered.push(n)
      return left
    })
    await turn()
    assert.deepEqual(entered, [])
    leave[0]!()
    await turn()
    assert.deepEqual(entered, [1])
    leave[1]!()
    await turn()
    assert.deepEqual(entered, [1, 2])
    for (const left of await Promise.all(later)) left()
    await Promise.all([line.enter(), line.enter()])
  })

  it('refuses who has waited for too long, and gives their turn to the next', async () => {
    const leave = await line.enter()
    await line.enter()
    const first = line.enter()
    const refused = assert.rejects(first, busy)
    mock.timers.tick(patience - 1)
    const second = line.enter()
    mock.timers.tick(1)
    await refused
    leave()
    await second
    mock.timers.tick(patience) // the time of whoever has a place is not up
  })

  it('refuses at once who could not be served in time, as long as those before kept their places', async () => {
    for (let i = 0; i < 100; i++) await keep(1_000)
    await Promise.all([line.enter(), line.enter()])
    const waiting = [line.enter(), line.enter(), line.enter()] // 3 of 1 s at 2 places, and a fourth would be 2 s
    await assert.rejects(Promise.all([...waiting, line.enter(), line.enter()]), busy)
    for (const entering of waiting) entering.catch(() => {})
    mock.timers.tick(patience)
  })

  it('lets in at once whoever finds a free place, however long places were kept', async () => {
    for (let i = 0; i < 100; i++) await keep(60_000)
    await Promise.all([line.enter(), line.enter()])
    await assert.rejects(line.enter(), busy)
  })
})
