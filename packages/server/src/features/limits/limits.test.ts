import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { openDatabase } from '../../storage/open.ts'
import { openLimits, type Counted, type Limits } from './limits.ts'

describe('openLimits', () => {
  let database: Database
  let limits: Limits
  let now = 0
  const used = { reads: 0, writes: 0 }
  beforeEach(async () => {
    database = await openDatabase(':memory:', new URL('../../server/writer-thread.ts', import.meta.url))
    const counting: Database = {
      ...database,
      get reader() {
        used.reads++
        return database.reader
      },
      write(command, values) {
        used.writes++
        return database.write(command, values)
      },
    }
    now = 1_000_000
    limits = await openLimits(counting, { clock: { now: () => now }, logger: silentLogger, isLimited: () => true })
    Object.assign(used, { reads: 0, writes: 0 })
  })
  afterEach(() => database.close())

  const countLogin = (login = 'ada') =>
    limits.countLogin({ login, address: undefined, deviceSecret: undefined, isOwn: async () => false })
  const repeat = async (times: number, work: () => Promise<unknown>): Promise<void> => {
    for (let n = 0; n < times; n++) await work()
  }
  const refusedFor = (retryAfterSeconds: number) => ({ code: 'too_many_requests', retryAfterSeconds })

  it('has so many registrations at an address, and one more every two minutes', async () => {
    const register = (): Promise<void> => limits.countRegistration('192.0.2.1')
    await repeat(50, register)
    await assert.rejects(register(), refusedFor(120))
    now += 119_999
    await assert.rejects(register(), refusedFor(1))
    now += 1
    await register()
    await assert.rejects(register(), refusedFor(120))
  })

  it('writes so many refusals of a client at an address down, and one more each minute', async () => {
    const refuse = (): Promise<void> => limits.countClientRefusal('192.0.2.1')
    await repeat(20, refuse)
    await assert.rejects(refuse(), refusedFor(60))
    now += 59_999
    await assert.rejects(refuse(), refusedFor(1))
    now += 1
    await refuse()
  })

  it('forgets what was counted while the clock was ahead', async () => {
    now += 30 * 24 * 60 * 60_000
    await (await countLogin()).giveBack()
    await countLogin()
    now = 1_000_000
    await assert.rejects(countLogin(), refusedFor(36 * 60))
    await assert.rejects(countLogin(), refusedFor(36 * 60))
    now += 36 * 60_000
    await countLogin()
    await assert.rejects(countLogin(), refusedFor(36 * 60))
  })

  it('lets nobody save up tries by having some under way all day', async () => {
    const interval = 36 * 60_000
    const underWay: Counted[] = []
    let oldest = 0
    for (const end = now + 24 * 60 * 60_000; now < end; now += interval / 3) {
      for (let wanted = 10; wanted > underWay.length - oldest; wanted--) {
        const counted = await countLogin().catch(() => undefined)
        if (!counted) break
        underWay.push(counted)
      }
      await underWay[oldest++]!.giveBack()
    }
    for (const counted of underWay.slice(oldest)) await counted.giveBack()
    let guesses = 0
    while (await countLogin().catch(() => undefined)) guesses++
    assert.equal(guesses, 10)
    for (let n = 0; n < 40; n++) {
      now += interval
      while (await countLogin().catch(() => undefined)) guesses++
    }
    assert.equal(guesses, 50)
  })

  it('takes no more than one try from whoever has the password and logs in all day, several times at once', async () => {
    for (const end = now + 24 * 60 * 60_000; now < end;) {
      const underWay = [await countLogin(), await countLogin(), await countLogin()]
      for (const counted of underWay) {
        now += 60_000
        await counted.giveBack()
      }
    }
    await repeat(9, countLogin)
  })

  it('writes once for each that is let in, and reads nothing', async () => {
    await repeat(10, countLogin)
    assert.deepEqual(used, { reads: 0, writes: 10 })
  })

  it('writes nothing for what is refused again and again, until it is let in', async () => {
    const signIn = () =>
      limits.countLogin({ login: 'ada', address: '192.0.2.1', deviceSecret: undefined, isOwn: async () => false })
    await repeat(10, signIn)
    await assert.rejects(signIn())
    Object.assign(used, { reads: 0, writes: 0 })
    await repeat(5, () => assert.rejects(signIn(), refusedFor(36 * 60)))
    assert.deepEqual(used, { reads: 5, writes: 0 })
    // Somebody else from that address: one of the two keys was refused.
    await limits.countLogin({ login: 'eve', address: '192.0.2.1', deviceSecret: undefined, isOwn: async () => false })
    assert.deepEqual(used, { reads: 6, writes: 1 })
    now += 36 * 60_000
    await signIn()
    await assert.rejects(signIn())
    assert.deepEqual(used, { reads: 7, writes: 3 })
  })
})
