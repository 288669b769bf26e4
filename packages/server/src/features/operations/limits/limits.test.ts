import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import type { LimitRate } from '../../../feature/limit-rate.ts'
import type { Database, Reader } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { createLimits, type Limits } from './limits.ts'
import { sortByKey, useOf, type Spent } from './uses.ts'

const guesses: LimitRate = { name: 'guesses', burst: 10, intervalMilliseconds: 36 * 60_000 }
const visits: LimitRate = {
  name: 'visits',
  burst: 100,
  intervalMilliseconds: 30_000,
  isRefundedWhole: true,
}
const proxy = '198.51.100.1'

describe('createLimits', () => {
  let database: Database
  let limits: Limits
  let now = 0
  const used = { reads: 0, writes: 0 }
  beforeEach(async () => {
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
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
    const isLimited = (address: string | undefined): boolean => address !== proxy
    limits = createLimits(counting, { clock: { now: () => now }, logger: silentLogger, isLimited })
    Object.assign(used, { reads: 0, writes: 0 })
  })
  afterEach(() => database.close())

  const countOne = (key = 'ada'): Promise<Spent> => limits.count([useOf(guesses, key)])
  const repeat = async (times: number, work: () => Promise<unknown>): Promise<void> => {
    for (let n = 0; n < times; n++) await work()
  }
  const refusedFor = (retryAfterSeconds: number) => ({
    code: 'too_many_requests',
    retryAfterSeconds,
  })

  it('a rate limit allows ten uses at once, and then one more after each interval', async () => {
    await repeat(10, () => countOne())
    await assert.rejects(countOne(), refusedFor(36 * 60))
    now += 36 * 60_000 - 1
    await assert.rejects(countOne(), refusedFor(1))
    now += 1
    await countOne()
    await assert.rejects(countOne(), refusedFor(36 * 60))
  })

  it('each key of each rate limit is counted separately', async () => {
    await repeat(10, () => countOne())
    await countOne('eve')
    await limits.count([useOf({ ...guesses, name: 'others' }, 'ada')])
    await assert.rejects(countOne())
  })

  it('if a limit is exhausted, limits.tryCount returns undefined and does not throw', async () => {
    await repeat(10, async () => assert.ok(await limits.tryCount([useOf(guesses, 'ada')])))
    assert.equal(await limits.tryCount([useOf(guesses, 'ada')]), undefined)
    await assert.rejects(countOne())
  })

  it('limits.usesAt ignores the address of a proxy, and counts IPv6 addresses by /64', async () => {
    const usesAt = (address: string | undefined) =>
      limits.usesAt(visits, address).map(({ key }) => key)
    assert.deepEqual(usesAt('2001:db8::1'), usesAt('2001:db8::2'))
    assert.equal(usesAt('192.0.2.1').length, 1)
    for (const address of [proxy, undefined]) assert.deepEqual(usesAt(address), [])
    await limits.count(limits.usesAt(visits, proxy))
    assert.deepEqual(used, { reads: 0, writes: 0 })
  })

  it('the networks of an IPv6 /48 together have four times the limit of one network', async () => {
    const visit = (address: string) => limits.count(limits.usesAt(visits, address))
    for (let n = 0; n < 400; n++) await visit(`2001:db8:0:${n % 256}::1`)
    await assert.rejects(visit('2001:db8:0:ffff::1'), refusedFor(8))
    await visit('2001:db8:1::1')
    now += 7_500
    await visit('2001:db8:0:ffff::1')
    await assert.rejects(visit('2001:db8:0:ffff::1'), refusedFor(8))
  })

  it('a rate limit forgets uses that were counted while the clock ran ahead', async () => {
    now += 30 * 24 * 60 * 60_000
    await limits.refund(await countOne())
    await countOne()
    now = 1_000_000
    await assert.rejects(countOne(), refusedFor(36 * 60))
    await assert.rejects(countOne(), refusedFor(36 * 60))
    now += 36 * 60_000
    await countOne()
    await assert.rejects(countOne(), refusedFor(36 * 60))
  })

  it('a caller gains no extra tries if the tries overlap', async () => {
    const interval = 36 * 60_000
    const tryOne = () => countOne().catch(() => undefined)
    const underWay: Spent[] = []
    for (const begun = now; now < begun + 24 * 60 * 60_000; now += interval / 3) {
      const wanted = Math.ceil((now - begun) / interval) + 2
      // Counts one more use before it refunds an old use.
      for (
        let counted = await tryOne();
        counted;
        counted = underWay.length <= wanted ? await tryOne() : undefined
      )
        underWay.push(counted)
      const oldest = underWay.shift()
      if (oldest) await limits.refund(oldest)
    }
    let guesses = 0
    for (const counted of underWay) {
      await limits.refund(counted)
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

  it('a rate limit per IP address refunds successful logins, even simultaneous ones', async () => {
    const signIn = (n: number) =>
      limits.count([useOf(guesses, String(n)), ...limits.usesAt(visits, '192.0.2.1')])
    const underWay: Spent[] = []
    for (let n = 0; n < 500; n++) {
      now += 20
      underWay.push(await signIn(n))
      if (underWay.length > 50) await limits.refund(underWay.shift()!)
    }
    for (const counted of underWay) await limits.refund(counted)
    for (let n = 0; n < 100; n++) await signIn(-n)
    await assert.rejects(signIn(-100))
  })

  it('limits.refund adds nothing if the address’s limit has already refilled', async () => {
    const signIn = (n: number) =>
      limits.count([useOf(guesses, String(n)), ...limits.usesAt(visits, '192.0.2.1')])
    const early = await signIn(0)
    now += 30_000
    for (let n = 1; n <= 100; n++) await signIn(n)
    await limits.refund(early)
    await assert.rejects(signIn(101))
  })

  it('successful logins one after another never exhaust a rate limit', async () => {
    for (const end = now + 24 * 60 * 60_000; now < end;) {
      const underWay = await countOne()
      now += 5 * 60_000
      await limits.refund(underWay)
    }
    await repeat(10, () => countOne())
    await assert.rejects(countOne())
  })

  it('an allowed use of a rate limit costs one database write and no read', async () => {
    await repeat(10, () => countOne())
    assert.deepEqual(used, { reads: 0, writes: 10 })
  })

  it('repeated refusals of one rate limit key cost no database write', async () => {
    const signIn = (key = 'ada') =>
      limits.count([useOf(guesses, key), ...limits.usesAt(visits, '192.0.2.1')])
    await repeat(10, () => signIn())
    await assert.rejects(signIn())
    Object.assign(used, { reads: 0, writes: 0 })
    await repeat(5, () => assert.rejects(signIn(), refusedFor(36 * 60)))
    assert.deepEqual(used, { reads: 5, writes: 0 })
    // The limit of the address is not exhausted, so a login of another user from this address costs
    // no read.
    await signIn('eve')
    assert.deepEqual(used, { reads: 5, writes: 1 })
    now += 36 * 60_000
    await signIn()
    await assert.rejects(signIn())
    assert.deepEqual(used, { reads: 6, writes: 3 })
  })
})

it('limits.refund logs that the database cannot be written, and does not throw', async () => {
  const logged: unknown[] = []
  const error = new Error('away')
  const limits = createLimits(
    { reader: {} as Reader, write: () => Promise.reject(error) },
    {
      clock: { now: () => 0 },
      logger: { ...silentLogger, debug: (fields) => logged.push(fields) },
      isLimited: () => true,
    },
  )
  await limits.refund({ uses: [useOf(guesses, 'ada')], at: 0 })
  assert.deepEqual(logged, [{ err: error }])
})

it('sortByKey sorts uses by key, whatever their order', () => {
  const uses = ['b', 'a', 'c'].map((key) => ({ key, rate: guesses }))
  for (const order of [uses, uses.toReversed()])
    assert.deepEqual(
      sortByKey(order).map(({ key }) => key),
      ['a', 'b', 'c'],
    )
})
