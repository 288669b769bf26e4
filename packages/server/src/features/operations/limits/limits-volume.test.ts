// How many rows and how much memory the limits keep for many names and addresses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { silentLogger } from 'keystile/internal'
import { mount } from 'keystile/node'
import { createTestClock, describeOnBoth, password } from '../../../../test-support/keystile.ts'
import { noMeter } from '../../../feature/metric.ts'
import { openDatabase } from '../../../storage/open.ts'
import { noDevices } from '../../sign-in/known-devices/devices.ts'
import { countLogin } from '../../sign-in/login/count-login.ts'
import { purge } from '../housekeeping/housekeeping.ts'
import { feature } from './feature.ts'
import { createLimits } from './limits.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const count = isLong ? 1_000_000 : 300
/** Simultaneous logins: few enough that each is hashed in time on a busy machine. */
const atOnce = 5
const httpCount = isLong ? 10_000 : 50
const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
const { cleanUp: steps = [] } = feature
const addressOf = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`

describeOnBoth('limits', (stage) => {
  it(`housekeeping deletes the refilled rate limits of ${count} names and addresses`, async () => {
    const clock = createTestClock()
    await stage.start({ clock }) // each start also purges
    const database = await openDatabase(stage.database, writerThread)
    const rows = async (): Promise<number> =>
      Number((await stage.sql('select count(*) as number from rate'))[0]!['number'])
    try {
      const limits = createLimits(database, { clock, logger: silentLogger, isLimited: () => true })
      let heap = 0
      for (let n = 0; n < count; n += 10) {
        await Promise.all(
          Array.from({ length: 10 }, (_, i) =>
            countLogin(
              {
                name: `unknown-${n + i}`,
                address: addressOf(n + i),
                deviceSecret: undefined,
                patienceMilliseconds: 0,
                isOwn: async () => false,
              },
              { limits, devices: noDevices },
            ),
          ),
        )
        if (n === count / 2) heap = heapUsed()
      }
      const grown = heapUsed() - heap
      assert.equal(await rows(), 2 * count)
      clock.advance(36 * 60 + 60)
      await purge(database, {
        steps,
        options: {},
        now: clock.now(),
        meter: noMeter,
        isClosed: () => false,
      })
      assert.equal(await rows(), count, 'all addresses have refilled, but no name yet')
      clock.advance(0.001)
      await purge(database, {
        steps,
        options: {},
        now: clock.now(),
        meter: noMeter,
        isClosed: () => false,
      })
      assert.equal(await rows(), 0)
      if (isLong) assert.ok(grown < 10 * 2 ** 20, `the heap grew by ${grown} bytes`)
    } finally {
      await database.close()
    }
  })

  it(`${httpCount} HTTP logins from different addresses leave nothing in memory`, async () => {
    // The clock does not move, so no limit refills and no row is deleted, however long this takes.
    const { keystile } = await stage.start({
      clock: createTestClock(),
      rateLimits: 'on',
      trustedProxies: ['127.0.0.1'],
    })
    const handle = mount(keystile)
    const server = createServer((request, response) =>
      handle(request, response, () => assert.fail('the path must belong to Keystile')),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(keystile.issuer).pathname}/token`
    try {
      let heap = 0
      for (let n = 0; n < httpCount; n += atOnce) {
        const statuses = await Promise.all(
          Array.from({ length: atOnce }, async (_, i) => {
            const body = new URLSearchParams({ username: `unknown-${n + i}`, password })
            const headers = { 'x-forwarded-for': addressOf(n + i) }
            const answer = await fetch(url, { method: 'POST', headers, body })
            await answer.text()
            return answer.status
          }),
        )
        assert.deepEqual(new Set(statuses), new Set([400]))
        if (n === httpCount / 2) heap = heapUsed()
      }
      const grown = heapUsed() - heap
      assert.equal(
        Number((await stage.sql('select count(*) as number from rate'))[0]!['number']),
        2 * httpCount,
      )
      if (isLong) assert.ok(grown < 10 * 2 ** 20, `the heap grew by ${grown} bytes`)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  })
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
