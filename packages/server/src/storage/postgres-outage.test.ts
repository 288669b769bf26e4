import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as polled } from 'node:timers/promises'
import { until } from '../../../../tools/until.ts'
import { stopTime, type SetTime } from '../../test-support/set-time.ts'
import type { DatabaseUnavailableError } from './database.ts'
import { watchForOutages, type OutageWatch } from './postgres-outage.ts'

const never = (): Promise<never> => new Promise(() => {})
const refuse = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error('refused'), { code }))

/** Watches with a probe until the test ends, and counts the probes and the outages. */
function watch(probe: (() => Promise<unknown>) | undefined) {
  const counts = { probes: 0, outages: 0 }
  const counted =
    probe &&
    ((): Promise<unknown> => {
      counts.probes++
      return probe()
    })
  const outages: OutageWatch = watchForOutages(counted, () => counts.outages++)
  return { counts, ...outages }
}
/** Lets 2.2 s pass, and returns what became of work in this time. */
async function fateOf({ pass }: SetTime, work: Promise<unknown>): Promise<string> {
  let fate = 'waits'
  work.then(
    () => (fate = 'answered'),
    (error: Error) =>
      (fate = `${error.message}, frequent: ${(error as DatabaseUnavailableError).isFrequent}`),
  )
  await pass(2_200)
  return fate
}
const begins = 'the PostgreSQL database does not answer, frequent: false'
const goesOn = 'the PostgreSQL database does not answer, frequent: true'

describe('watchForOutages', () => {
  it('an outage begins when neither a query nor a probe query gets an answer', async (t) => {
    const time = stopTime(t)
    const { counts, watch: over, close } = watch(never)
    const works = [over(never), over(never)]
    const fates = works.map((work) => work.catch((error: Error) => error.message))
    await time.pass(1_490)
    assert.deepEqual(counts, { probes: 1, outages: 0 })
    await time.pass(10)
    assert.equal(counts.outages, 1)
    const message = 'the PostgreSQL database does not answer'
    assert.deepEqual(await Promise.all(fates), [message, message])
    assert.equal(await fateOf(time, works[0] ?? never()), begins)
    let ran = false
    assert.equal(
      await fateOf(
        time,
        over(async () => (ran = true)),
      ),
      goesOn,
    )
    assert.equal(ran, false)
    close()
  })

  it('an outage ends when a probe query gets an answer, even if it is a refusal', async (t) => {
    const time = stopTime(t)
    let probe: () => Promise<unknown> = refuse('ECONNREFUSED')
    const { counts, watch: over, close } = watch(() => probe())
    assert.equal(await fateOf(time, over(never)), begins)
    const { probes } = counts
    await time.pass(1_000)
    assert.equal(counts.probes, probes + 4)
    assert.equal(await fateOf(time, over(never)), goesOn)
    probe = refuse('53300') // too many connections
    await time.pass(250)
    assert.equal(
      await fateOf(
        time,
        over(async () => 'x'),
      ),
      'answered',
    )
    assert.equal(counts.outages, 1)
    close()
  })

  for (const [what, probe] of [
    ['gets an answer', async () => {}],
    ['is refused by the server', refuse('57P03')],
    ['cannot be made', undefined],
  ] as const)
    it(`there is no outage if a probe query ${what}`, async (t) => {
      const { counts, watch: over, close } = watch(probe)
      assert.equal(await fateOf(stopTime(t), over(never)), 'waits')
      assert.equal(counts.outages, 0)
      close()
    })

  it('an outage begins if the second probe gets no answer, even if the first got one', async (t) => {
    const answers: (() => Promise<unknown>)[] = [async () => {}]
    const time = stopTime(t)
    const { counts, watch: over, close } = watch(() => (answers.pop() ?? never)())
    assert.equal(await fateOf(time, over(never)), begins)
    assert.deepEqual(counts, { probes: 2, outages: 1 })
    close()
  })

  for (const [what, answer] of [
    ['an answer', async () => {}],
    ['an error of the server', refuse('23505')],
  ] as const)
    it(`there is no outage if a query waits while other queries get ${what}`, async (t) => {
      const time = stopTime(t)
      const { counts, watch: over, close } = watch(never)
      over(never).catch(() => {})
      for (let n = 0; n < 9; n++) {
        await time.pass(200)
        await over(answer).catch(() => {})
      }
      assert.deepEqual(counts, { probes: 0, outages: 0 })
      close()
    })

  it('a probe runs only while a query waits, even after a network error', async (t) => {
    const time = stopTime(t)
    const { counts, watch: over, close } = watch(never)
    const failure = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    const fail = (): Promise<void> =>
      assert.rejects(
        over(() => Promise.reject(failure)),
        failure,
      )
    await fail()
    await time.pass(700)
    assert.equal(counts.probes, 0)
    const waiting = over(never)
    waiting.catch(() => {})
    for (let n = 0; n < 4; n++) {
      await time.pass(200)
      await fail()
    }
    assert.equal(counts.probes, 1)
    assert.equal(await fateOf(time, waiting), begins)
    close()
  })

  it('a probe query runs only if a query has waited for half a second', async (t) => {
    const time = stopTime(t)
    const { counts, watch: over, close } = watch(never)
    await over(async () => {})
    await time.pass(700)
    over(never).catch(() => {})
    await time.pass(490)
    assert.equal(counts.probes, 0)
    await time.pass(10)
    assert.equal(counts.probes, 1)
    close()
  })

  it('there is no outage if another query gets an answer during a probe query', async (t) => {
    const time = stopTime(t)
    const { counts, watch: over, close } = watch(never)
    over(never).catch(() => {})
    await time.pass(900)
    await over(async () => {})
    await time.pass(800)
    assert.deepEqual(counts, { probes: 1, outages: 0 })
    close()
  })

  it('after close(), watchForOutages reports no outage', async (t) => {
    const time = stopTime(t)
    const { counts, watch: over, close } = watch(never)
    const waiting = over(never)
    await time.pass(700)
    close()
    assert.equal(await fateOf(time, waiting), 'waits')
    assert.equal(counts.outages, 0)
  })
})

describe('watchForOutages in a busy process', () => {
  it('a probe query says nothing about PostgreSQL if this process was blocked', async (t) => {
    const time = stopTime(t)
    const { counts, watch: over, close } = watch(never)
    over(never).catch(() => {})
    await time.pass(700)
    await time.block(1_000)
    assert.deepEqual(counts, { probes: 1, outages: 0 })
    close()
  })

  it('no probe query runs if the last waiting query fails just before the probe', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { counts, watch: over, close } = watch(async () => {})
    const { promise, reject } = Promise.withResolvers<never>()
    const failing = assert.rejects(
      over(() => promise),
      /reset/,
    )
    t.mock.timers.tick(500)
    reject(new Error('reset'))
    await failing
    await polled()
    assert.equal(counts.probes, 0)
    close()
  })

  it('no timer of watchForOutages keeps the process alive', async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    const { counts, watch: over, close } = watch(never)
    const failing = assert.rejects(over(never))
    await until(() => counts.probes === 1)
    assert.equal(timers(), before)
    await until(() => counts.outages === 1)
    await failing
    assert.equal(timers(), before)
    close()
  })
})

it('a probe query that waits does not keep the process running', async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const { counts, watch: over, close } = watch(never)
  void over(never).catch(() => {})
  await until(() => counts.probes > 0)
  assert.equal(timers(), before)
  close()
})
