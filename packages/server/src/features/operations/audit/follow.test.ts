import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { followAudit } from './follow.ts'
import { recordAudit, type AuditFilter } from './store.ts'

const start = Date.UTC(2026, 10, 25)

describe('followAudit', () => {
  let database: Database
  let now: number
  beforeEach(async () => {
    now = start
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
  })
  afterEach(() => database.close())

  /** Records a line whose time is `seconds` after the start. The line appears immediately. */
  const record = (seconds: number, subject = 'ada'): Promise<void> => {
    const at = start + seconds * 1_000
    return database.write(recordAudit, { event: 'login', at, by: { actor: 'nobody' }, subject })
  }
  /** Returns the lines that came before the first step, and the lines that came after each step. */
  const follow = async (
    filter: AuditFilter,
    ...steps: readonly (() => Promise<unknown>)[]
  ): Promise<readonly (readonly number[])[]> => {
    const given: number[][] = [[]]
    const left = [...steps]
    const pause = async (): Promise<boolean> => {
      const step = left.shift()
      if (!step) return false
      await step()
      given.push([])
      return true
    }
    for await (const { at } of followAudit(database, filter, { clock: { now: () => now }, pause }))
      given.at(-1)!.push((at - start) / 1_000)
    return given
  }

  it('followAudit yields the last lines, and then each new line once', async () => {
    for (const at of [-20, -10, 0]) await record(at)
    const nothing = async (): Promise<void> => {}
    assert.deepEqual(
      await follow(
        { last: 2 },
        nothing,
        () => record(1),
        nothing,
        () => record(2),
      ),
      [[-10, 0], [], [1], [], [2]],
    )
    assert.deepEqual(await follow({ last: 0 }, nothing, () => record(3)), [[], [], [3]])
    assert.deepEqual(await follow({ since: start + 2_000 }, () => record(4)), [[2, 3], [4]])
  })

  it('followAudit yields a new line even if its time is 30 s before the last line', async () => {
    await record(0)
    const given = await follow(
      {},
      () => record(60),
      () => record(30),
      () => record(45),
    )
    assert.deepEqual(given, [[0], [60], [30], [45]])
  })

  it('followAudit yields a new line even if its time is before all yielded lines', async () => {
    for (const at of [-3, -1, 0]) await record(at)
    const given: number[] = []
    let goesOn = true
    const pause = async (): Promise<boolean> => goesOn && !(goesOn = false)
    for await (const { at } of followAudit(
      database,
      { last: 2 },
      { clock: { now: () => now }, pause },
    )) {
      if (given.length === 0) await record(-2)
      given.push((at - start) / 1_000)
    }
    assert.deepEqual(given, [-1, 0, -2])
  })

  it('if a line is committed while followAudit starts, followAudit yields it once', async () => {
    await Promise.all(Array.from({ length: 500 }, () => record(-60)))
    await record(0)
    const given: number[] = []
    let pauses = 0
    const pause = async (): Promise<boolean> => pauses++ < 2
    for await (const { at } of followAudit(database, {}, { clock: { now: () => now }, pause })) {
      if (given.length === 0) await record(-30)
      given.push((at - start) / 1_000)
    }
    assert.deepEqual(given.slice(498), [-60, -60, -30, 0])
  })

  it('followAudit omits a late line if it is over 30 s older than the newest line', async () => {
    await record(0)
    const later = async (): Promise<void> => {
      now += 60_000
      await record(60)
    }
    assert.deepEqual(
      await follow(
        {},
        () => record(-30),
        () => record(-30.001),
        later,
        () => record(30),
        () => record(29.999),
      ),
      [[0], [-30], [], [60], [30], []],
    )
  })

  it('with { subject }, followAudit ignores how new the lines of other subjects are', async () => {
    await record(0)
    now += 100_000
    await record(100, 'bob')
    assert.deepEqual(await follow({ subject: 'ada' }, () => record(10)), [[0], [10]])
  })

  it('followAudit yields the newest line even if its time is almost an hour ago', async () => {
    await record(0)
    now += 3_600_000
    assert.deepEqual(await follow({}, () => record(10)), [[0], [10]])
  })

  it('followAudit misses no line if the clock of one writer runs ahead', async () => {
    await record(3_600)
    assert.deepEqual(
      await follow(
        {},
        () => record(-30),
        () => record(7_200),
        () => record(0),
      ),
      [[3_600], [-30], [7_200], [0]],
    )
  })

  it('followAudit repeats no line if the clock of its process is set back', async () => {
    await record(0)
    const setBack = async (): Promise<void> => {
      now -= 3_600_000
    }
    await record(-60)
    assert.deepEqual(await follow({ last: 1 }, setBack, () => record(1)), [[0], [], [1]])
  })

  it('followAudit yields only the lines of the given subject', async () => {
    await record(0, 'bob')
    await record(1)
    const both = async (): Promise<void> => {
      await record(2, 'bob')
      await record(3)
    }
    assert.deepEqual(await follow({ subject: 'ada' }, both), [[1], [3]])
  })
})
