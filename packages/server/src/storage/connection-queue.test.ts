import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { createConnectionQueue, type ConnectionQueue } from './connection-queue.ts'

const patience = 2_000
const busy = { name: 'DatabaseBusyError' }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('createConnectionQueue', () => {
  let queue: ConnectionQueue
  let time: number

  beforeEach(() => {
    time = 0
    mock.method(performance, 'now', () => time)
    mock.timers.enable({ apis: ['setTimeout'] })
    queue = createConnectionQueue(2, patience)
  })
  afterEach(() => {
    mock.timers.reset()
    mock.restoreAll()
  })

  /** Takes a place and releases it after this time. */
  const keep = async (milliseconds: number): Promise<void> => {
    const leave = await queue.enter()
    time += milliseconds
    leave()
  }

  it('if a queue serves two callers at a time, later callers enter in order', async () => {
    const leave = [await queue.enter(), await queue.enter()]
    const entered: number[] = []
    const later = [1, 2].map(async (n) => {
      const left = await queue.enter()
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
    await Promise.all([queue.enter(), queue.enter()])
  })

  it('a queue refuses a caller that has waited too long, and admits the next caller', async () => {
    const leave = await queue.enter()
    await queue.enter()
    const first = queue.enter()
    const refused = assert.rejects(first, busy)
    mock.timers.tick(patience - 1)
    const second = queue.enter()
    mock.timers.tick(1)
    await refused
    leave()
    await second
    mock.timers.tick(patience) // a caller that has a place is never refused
  })

  it('a queue refuses a caller immediately if the wait would probably be too long', async () => {
    for (let i = 0; i < 100; i++) await keep(1_000)
    await Promise.all([queue.enter(), queue.enter()])
    const waiting = [queue.enter(), queue.enter(), queue.enter()] // a fourth caller would wait for 2 s
    await assert.rejects(Promise.all([...waiting, queue.enter(), queue.enter()]), busy)
    for (const entering of waiting) entering.catch(() => {})
    mock.timers.tick(patience)
  })

  it('a queue predicts the wait from a moving average of earlier service times', async () => {
    await keep(10_000) // a tenth of it counts
    await keep(1_000) // it is the average, so it changes nothing
    await Promise.all([queue.enter(), queue.enter()])
    const entering = Array.from({ length: 5 }, () => queue.enter())
    const waits = turn().then(() => 'waits')
    // The fourth caller would wait for exactly 2 s.
    assert.deepEqual(
      await Promise.all(entering.map((one) => Promise.race([one.catch(() => 'refused'), waits]))),
      ['waits', 'waits', 'waits', 'waits', 'refused'],
    )
    mock.timers.tick(patience)
  })

  it('a queue with a free place admits a caller, even if earlier callers were slow', async () => {
    for (let i = 0; i < 100; i++) await keep(60_000)
    await Promise.all([queue.enter(), queue.enter()])
    await assert.rejects(queue.enter(), busy)
  })
})
