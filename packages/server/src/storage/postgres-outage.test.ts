import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseUnavailableError } from './database.ts'
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
/** What becomes of work that PostgreSQL does not answer. */
const fateOf = (work: Promise<unknown>): Promise<string> =>
  Promise.race([
    work.then(
      () => 'answered',
      (error: Error) =>
        `${error.message}, frequent: ${(error as DatabaseUnavailableError).isFrequent}`,
    ),
    delay(2_200, 'waits', { ref: false }),
  ])
const begins = 'the PostgreSQL database does not answer, frequent: false'
const goesOn = 'the PostgreSQL database does not answer, frequent: true'

// The tests wait at the same time.
describe('watchForOutages', { concurrency: true }, () => {
  it('an outage begins when neither a query nor a probe query gets an answer', async () => {
    const { counts, watch: over, close } = watch(never)
    const works = [over(never), over(never)]
    await delay(900, undefined, { ref: false })
    assert.deepEqual(counts, { probes: 1, outages: 0 })
    assert.deepEqual(await Promise.all(works.map(fateOf)), [begins, begins])
    assert.equal(counts.outages, 1)
    let ran = false
    assert.equal(await fateOf(over(async () => (ran = true))), goesOn)
    assert.equal(ran, false)
    close()
  })

  it('an outage ends when a probe query gets an answer, even if it is a refusal', async () => {
    let probe: () => Promise<unknown> = refuse('ECONNREFUSED')
    const { counts, watch: over, close } = watch(() => probe())
    assert.equal(await fateOf(over(never)), begins)
    await delay(600, undefined, { ref: false })
    assert.ok(counts.probes >= 2 && counts.probes <= 4, String(counts.probes))
    assert.equal(await fateOf(over(never)), goesOn)
    probe = refuse('53300') // too many connections
    while ((await fateOf(over(async () => 'x'))) !== 'answered') await delay(20)
    assert.equal(counts.outages, 1)
    close()
  })

  for (const [what, probe] of [
    ['gets an answer', async () => {}],
    ['is refused by the server', refuse('57P03')],
    ['cannot be made', undefined],
  ] as const)
    it(`there is no outage if a probe query ${what}`, async () => {
      const { counts, watch: over, close } = watch(probe)
      assert.equal(await fateOf(over(never)), 'waits')
      assert.equal(counts.outages, 0)
      close()
    })

  it('an outage begins if the second probe gets no answer, even if the first got one', async () => {
    const answers: (() => Promise<unknown>)[] = [async () => {}]
    const { counts, watch: over, close } = watch(() => (answers.pop() ?? never)())
    await Promise.race([over(never).catch(() => {}), delay(5_000, undefined, { ref: false })])
    assert.deepEqual(counts, { probes: 2, outages: 1 })
    close()
  })

  for (const [what, answer] of [
    ['an answer', async () => {}],
    ['an error of the server', refuse('23505')],
  ] as const)
    it(`there is no outage if a query waits while other queries get ${what}`, async () => {
      const { counts, watch: over, close } = watch(never)
      const waiting = fateOf(over(never))
      for (let n = 0; n < 9; n++) {
        await delay(200, undefined, { ref: false })
        await over(answer).catch(() => {})
      }
      assert.deepEqual(counts, { probes: 0, outages: 0 })
      close()
      await waiting
    })

  it('a probe runs only while a query waits, even after a network error', async () => {
    const { counts, watch: over, close } = watch(never)
    const failure = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    await assert.rejects(
      over(() => Promise.reject(failure)),
      failure,
    )
    await delay(700, undefined, { ref: false })
    assert.equal(counts.probes, 0)
    const waiting = fateOf(over(never))
    for (let n = 0; n < 4; n++) {
      await delay(200, undefined, { ref: false })
      await over(() => Promise.reject(failure)).catch(() => {})
    }
    assert.equal(counts.probes, 1)
    assert.equal(await waiting, begins)
    close()
  })

  it('a probe query runs only if a query has waited for half a second', async () => {
    const { counts, watch: over, close } = watch(never)
    await over(async () => {})
    await delay(700, undefined, { ref: false })
    const waiting = fateOf(over(never))
    await delay(400, undefined, { ref: false })
    assert.equal(counts.probes, 0)
    close()
    await waiting
  })

  it('there is no outage if another query gets an answer during a probe query', async () => {
    const { counts, watch: over, close } = watch(never)
    const waiting = fateOf(over(never))
    await delay(900, undefined, { ref: false })
    await over(async () => {})
    await delay(800, undefined, { ref: false })
    // On a busy machine, the next probe runs already.
    assert.ok(counts.probes > 0)
    assert.equal(counts.outages, 0)
    close()
    await waiting
  })

  it('after close(), watchForOutages reports no outage', async () => {
    const { counts, watch: over, close } = watch(never)
    const waiting = fateOf(over(never))
    await delay(700, undefined, { ref: false })
    close()
    assert.equal(await waiting, 'waits')
    assert.equal(counts.outages, 0)
  })
})

describe('watchForOutages in a busy process', () => {
  it('a probe query says nothing about PostgreSQL if this process was blocked', async () => {
    const { counts, watch: over, close } = watch(never)
    void fateOf(over(never))
    await delay(700)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
    await delay(100)
    assert.equal(counts.outages, 0)
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
    await delay(20)
    assert.equal(counts.probes, 0)
    close()
  })

  it('no timer of watchForOutages keeps the process alive', async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    const { counts, watch: over, close } = watch(never)
    const failing = assert.rejects(over(never))
    await delay(700)
    assert.deepEqual([counts.probes, timers()], [1, before])
    await delay(1_000)
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
  while (counts.probes === 0) await delay(10)
  assert.equal(timers(), before)
  close()
})
