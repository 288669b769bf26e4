import assert from 'node:assert/strict'
import { after, before, describe, it, mock } from 'node:test'
import { createGuardCore, silentLogger } from 'keystile/internal'
import { checkOptions } from '../options.ts'
import { wire, type RunningKeystile } from './wire.ts'

const issuer = 'http://localhost:3000'
const password = 'correct horse battery staple'
/** The lowest cost of argon2id. A server refuses it. */
const cheapHashing = { memoryKiB: 8, passes: 1 }
const leaseRenewalMilliseconds = 3_000
const mail = { from: 'keystile@example.com', send: async () => {} }

async function open(options: object): Promise<RunningKeystile> {
  const given = { issuer, database: ':memory:', logger: silentLogger, ...options }
  return wire({ ...checkOptions(given), passwordHashing: cheapHashing })
}

describe('wire', () => {
  let limited: RunningKeystile
  let unlimited: RunningKeystile
  let mailing: RunningKeystile
  /** The timers that `mailing` started. */
  let timers: readonly unknown[]

  before(async () => {
    limited = await open({ rateLimits: 'on' })
    unlimited = await open({ rateLimits: 'off' })
    const setting = mock.method(globalThis, 'setInterval')
    mailing = await open({ rateLimits: 'off', mail })
    timers = setting.mock.calls.map(({ result }) => result)
    setting.mock.restore()
  })
  after(() => Promise.all([limited, unlimited, mailing].map(({ keystile }) => keystile.close())))

  it('a login gets a secret for the device only if Keystile has rate limits or mail', async () => {
    for (const [{ keystile }, hasSecret] of [
      [limited, true],
      [unlimited, false],
      [mailing, true],
    ] as const) {
      await keystile.users!.create({ username: 'ada', email: 'ada@example.com', password })
      const body = new URLSearchParams({ grant_type: 'password', username: 'ada', password })
      const answer = await keystile.fetch(new Request(`${issuer}/token`, { method: 'POST', body }))
      const tokens = (await answer.json()) as object
      assert.deepEqual([answer.status, 'device_secret' in tokens], [200, hasSecret])
    }
  })

  it('a guard of the app gets a user from memory after it has loaded the user', async () => {
    const { keystile } = limited
    const { id: subject } = await keystile.users!.create({ username: 'bob', password })
    const { accessToken } = await keystile.sessions.create({ subject })
    const headers = new Headers({ authorization: `Bearer ${accessToken}` })
    const guard = createGuardCore({ verifier: keystile.verifier, user: keystile.user })
    const request = { method: 'GET', url: issuer, headers }
    const demand = guard.demand([], false)
    assert.equal(guard.enterAtOnce({}, request, demand), undefined)
    assert.ok((await guard.check(request, demand)).allowed)
    const user = guard.enterAtOnce({}, request, demand)?.user as { readonly id?: string }
    assert.equal(user?.id, subject)
  })

  it('the metrics contain the queue of events, and the queue of mails if there are mails', () => {
    for (const [{ readGauges }, hasMails] of [
      [limited, false],
      [mailing, true],
    ] as const) {
      const names = readGauges().map(({ gauge }) => gauge.name)
      assert.ok(names.includes('keystile_events_waiting'))
      assert.equal(names.includes('keystile_mails_waiting'), hasMails)
    }
  })

  it('close() ends all repeated jobs of Keystile', async (t) => {
    const { mock: ended } = t.mock.method(globalThis, 'clearInterval')
    await mailing.keystile.close()
    const cleared = new Set<unknown>(ended.calls.map(({ arguments: [timer] }) => timer))
    assert.ok(timers.length > 5)
    assert.deepEqual(
      timers.filter((timer) => !cleared.has(timer)),
      [],
    )
  })
})

describe('wire, when a part cannot start', () => {
  it('ends all parts that have started', async (t) => {
    const { setInterval } = globalThis
    const { mock: endedIntervals } = t.mock.method(globalThis, 'clearInterval')
    const { mock: endedTimeouts } = t.mock.method(globalThis, 'clearTimeout')
    const { mock: timeouts } = t.mock.method(globalThis, 'setTimeout')
    const intervals: unknown[] = []
    let untilFailure = 0
    t.mock.method(globalThis, 'setInterval', (run: () => void, delay: number) => {
      if (untilFailure-- === 0) throw new Error('no timer is left')
      return intervals[intervals.push(setInterval(run, delay)) - 1]
    })

    const start = async (): Promise<RunningKeystile | undefined> => {
      try {
        return await open({ rateLimits: 'off', mail })
      } catch (error) {
        assert.equal((error as Error).message, 'no timer is left')
        return undefined
      }
    }

    // The first start fails at the first timer, the second one at the second timer, and so on.
    let failed = 0
    let started: RunningKeystile | undefined
    for (; (started = await start()) === undefined; untilFailure = ++failed) {
      const renewals = timeouts.calls
        .filter(({ arguments: [, delay] }) => delay === leaseRenewalMilliseconds)
        .map(({ result }) => result)
      const ended = new Set<unknown>(
        [...endedIntervals.calls, ...endedTimeouts.calls].map((call) => call.arguments[0]),
      )
      const left = [...intervals, ...renewals].filter((timer) => !ended.has(timer))
      assert.equal(left.length, 0, `after ${failed} timers`)
    }
    untilFailure = Infinity
    await started.keystile.close()
    assert.ok(failed > 5)
  })
})
