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

  const timed = [
    ['registrations at an address', 50, 120, () => limits.countRegistration('192.0.2.1')],
    ['refusals of clients at an address that are written down', 20, 60, () => limits.countClientRefusal('192.0.2.1')],
    ['changes of one profile', 60, 60, () => limits.countProfile('ada')],
    ['e-mail addresses that one person asks for', 10, 16 * 60, () => limits.countEmail('ada')],
  ] as const
  for (const [what, burst, seconds, use] of timed) {
    it(`has ${burst} ${what}, and one more every ${seconds} seconds`, async () => {
      await repeat(burst, use)
      await assert.rejects(use(), refusedFor(seconds))
      now += seconds * 1000 - 1
      await assert.rejects(use(), refusedFor(1))
      now += 1
      await use()
      await assert.rejects(use(), refusedFor(seconds))
    })
  }

  it('counts refusals of tokens as those of clients, and says which to write down', async () => {
    const countToken = (address?: string) => limits.countTokenRefusal(address)
    await repeat(10, () => limits.countClientRefusal('192.0.2.1'))
    await repeat(10, async () => assert.equal(await countToken('192.0.2.1'), true))
    assert.equal(await countToken('192.0.2.1'), false)
    await assert.rejects(limits.countClientRefusal('192.0.2.1'), refusedFor(60))
    for (const address of ['192.0.2.2', undefined]) assert.equal(await countToken(address), true)
    now += 60_000
    assert.equal(await countToken('192.0.2.1'), true)
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
    const tryOne = () => countLogin().catch(() => undefined)
    const underWay: Counted[] = []
    for (const begun = now; now < begun + 24 * 60 * 60_000; now += interval / 3) {
      const wanted = Math.ceil((now - begun) / interval) + 2
      // One more is counted before an old one is given back.
      for (let counted = await tryOne(); counted; counted = underWay.length <= wanted ? await tryOne() : undefined)
        underWay.push(counted)
      await underWay.shift()?.giveBack()
    }
    let guesses = 0
    for (const counted of underWay) {
      await counted.giveBack()
      if (await tryOne()) guesses++
    }
    while (await tryOne()) guesses++
    const atOnce = guesses
    for (let n = 0; n < 40; n++) {
      now += interval
      while (await tryOne()) guesses++
    }
    assert.ok(atOnce <= 10 && guesses <= 50, `${atOnce} at once, ${guesses} in 24 hours`)
  })

  it('keeps nothing of an address for right logins, however many are under way', async () => {
    const signIn = (n: number) =>
      limits.countLogin({ login: String(n), address: '192.0.2.1', deviceSecret: undefined, isOwn: async () => false })
    const underWay: Counted[] = []
    for (let n = 0; n < 5_000; n++) {
      now += 20
      underWay.push(await signIn(n))
      if (underWay.length > 50) await underWay.shift()!.giveBack()
    }
    for (const counted of underWay) await counted.giveBack()
    for (let n = 0; n < 100; n++) await signIn(-n)
    await assert.rejects(signIn(-100))
  })

  it('gives an address nothing back that time has given back whole', async () => {
    const signIn = (n: number) =>
      limits.countLogin({ login: String(n), address: '192.0.2.1', deviceSecret: undefined, isOwn: async () => false })
    const early = await signIn(0)
    now += 30_000
    for (let n = 1; n <= 100; n++) await signIn(n)
    await early.giveBack()
    await assert.rejects(signIn(101))
  })

  it('takes nothing from whoever has the password and logs in all day, one login after the other', async () => {
    for (const end = now + 24 * 60 * 60_000; now < end;) {
      const underWay = await countLogin()
      now += 5 * 60_000
      await underWay.giveBack()
    }
    await repeat(10, countLogin)
    await assert.rejects(countLogin())
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
    // Nothing is used up of the address, so nobody else from there is looked up.
    await limits.countLogin({ login: 'eve', address: '192.0.2.1', deviceSecret: undefined, isOwn: async () => false })
    assert.deepEqual(used, { reads: 5, writes: 1 })
    now += 36 * 60_000
    await signIn()
    await assert.rejects(signIn())
    assert.deepEqual(used, { reads: 6, writes: 3 })
  })
})
