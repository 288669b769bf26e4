// Tests of a revocation feed whose bytes and time the test controls. The tests on real sockets are
// in revocation-feed.test.ts.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { current, reset, revocation } from '../../test-support/scripted-feed.ts'
import type { Logger } from '../base/log.ts'
import { createRevocationFeed } from './revocation-feed.ts'
import type { RevocationSource } from './revocations.ts'

interface Script {
  /** What `performance.now()` returns first. Default: 1000. */
  readonly begin?: number
  readonly whenStale?: 'accept' | 'refuse'
  /** What `Math.random()` returns. Default: 0. */
  readonly chance?: number
}

interface Stage {
  readonly source: RevocationSource
  /** The header fields of the requests. */
  readonly requests: readonly Headers[]
  /** What was logged. */
  readonly logged: readonly string[]
  /** How many connections the reader has ended. */
  readonly aborted: () => number
  /** How many timers are running. */
  readonly timers: () => number
  /** Lets time pass. */
  pass(milliseconds: number): Promise<void>
  /** Lets time pass, in which no timer fires. */
  suspend(milliseconds: number): void
  /** Lets bytes arrive on the last connection, or on another one. */
  arrive(text: string, connection?: number): Promise<void>
  /** Makes the last connection fail. */
  break(message: string): Promise<void>
  /** Sets the clock of the app back. */
  setBack(milliseconds: number): void
  /** Calls `refresh()`. The function returns what became of it: '' if it still waits. */
  refresh(): () => string
}

/** Lets everything happen that waits for no timer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Replaces the time. Timers are numbers, as in Deno. */
function simulateTime(t: TestContext, begin: number): Pick<Stage, 'pass' | 'suspend' | 'timers'> {
  let now = begin
  let lastId = 0
  const timers = new Map<number, { readonly dueAt: number; readonly call: () => void }>()
  t.mock.method(performance, 'now', () => now)
  t.mock.method(globalThis, 'setTimeout', ((call: () => void, milliseconds: number) => {
    timers.set(++lastId, { dueAt: now + milliseconds, call })
    return lastId
  }) as unknown as typeof setTimeout)
  t.mock.method(globalThis, 'clearTimeout', (id: unknown) => void timers.delete(Number(id)))
  return {
    timers: () => timers.size,
    suspend(milliseconds) {
      now += milliseconds
    },
    async pass(milliseconds) {
      now += milliseconds
      for (const [id, { dueAt, call }] of timers) {
        if (dueAt > now) continue
        timers.delete(id)
        call()
      }
      await settle()
    },
  }
}

function read(t: TestContext, script: Script = {}): Stage {
  const { begin = 1_000, whenStale = 'refuse', chance = 0 } = script
  const time = simulateTime(t, begin)
  t.mock.method(Math, 'random', () => chance)
  let wall = 1_800_000_000_000
  const logged: string[] = []
  const log = (level: string) => (fields: object, message: string) => {
    const { err, url } = fields as { readonly err?: Error; readonly url?: string }
    const details = err ? `${err.message}, because ${(err.cause as Error).message}` : url
    logged.push(`${level} ${message}: ${details}`)
  }
  const requests: Headers[] = []
  const signals: AbortSignal[] = []
  const bodies: ReadableStreamDefaultController<Uint8Array>[] = []
  const source = createRevocationFeed({
    url: 'https://auth.example/revocations',
    clientId: 'orders',
    clientSecret: 'pX3',
    whenStale,
    clock: { now: () => wall },
    logger: { info: log('info'), error: log('error') } as unknown as Logger,
    async fetch(_url, init) {
      requests.push(new Headers(init?.headers))
      if (init?.signal) signals.push(init.signal)
      const body = new ReadableStream<Uint8Array>({ start: (given) => void bodies.push(given) })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  t.after(() => source.close())
  const refresh = (): (() => string) => {
    let result = ''
    void source.refresh().then(
      () => (result = 'resolved'),
      (error: Error) => (result = error.message),
    )
    return () => result
  }
  refresh()
  return {
    source,
    requests,
    logged,
    ...time,
    refresh,
    aborted: () => signals.filter(({ aborted }) => aborted).length,
    async arrive(text, connection = bodies.length - 1) {
      await settle()
      bodies[connection]?.enqueue(new TextEncoder().encode(text))
      await settle()
    },
    async break(message) {
      await settle()
      bodies.at(-1)?.error(new Error(message))
      await settle()
    },
    setBack(milliseconds) {
      wall -= milliseconds
    },
  }
}

const unread = 'revocations cannot be read: '
const tooSlow = `${unread}https://auth.example/revocations is too slow`
const token = { sessionId: 's1', subject: 'alice', clientId: 'app' }
const ended = (id: string): string => revocation(id, { kind: 'session', value: 's1' })

/** Lets time pass, in which bytes arrive that keep the connection open, but are not news. */
async function keepOpen({ pass, arrive }: Stage, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 3_000) {
    await pass(Math.min(left, 3_000))
    await arrive(':\n')
  }
}

/** Runs this program as if it were in Cloudflare Workers. */
function becomeWorker(t: TestContext): void {
  t.mock.getter(navigator, 'userAgent', () => 'Cloudflare-Workers')
}

describe('a revocation feed read with a simulated clock', { timeout: 600_000 }, () => {
  it('the age of revocations starts when a heartbeat is sent, not when it arrives', async (t) => {
    const { source, pass, arrive } = read(t)
    await pass(3_000)
    await arrive(current(1_000))
    assert.deepEqual([source.ageSeconds, source.state], [2, 'current'])
    await pass(1_999)
    assert.equal(source.state, 'current')
    await pass(1)
    assert.equal(source.state, 'stale')
    // The clock of the issuer may run a little faster. The age must not become negative then.
    await arrive(current(5_900))
    assert.equal(source.ageSeconds, 0)
  })

  it('after its first heartbeat, a revocation feed is never in the state `starting`', async (t) => {
    const { source, pass, arrive } = read(t, { begin: 0 })
    await arrive(current(0))
    await pass(4_000)
    assert.equal(source.state, 'stale')
  })

  for (const whenStale of ['refuse', 'accept'] as const) {
    it(`without a heartbeat, a feed with "${whenStale}" is stale after 5 s`, async (t) => {
      const stage = read(t, { whenStale })
      const { source, pass } = stage
      await keepOpen(stage, 4_999)
      assert.deepEqual(
        [source.state, source.needsRefresh(), source.isUsable()],
        ['starting', true, false],
      )
      await pass(1)
      const accepts = whenStale === 'accept'
      assert.deepEqual(
        [source.state, source.needsRefresh(), source.isUsable()],
        ['stale', !accepts, accepts],
      )
    })

    it(`4 s after its last heartbeat, a feed with "${whenStale}" is stale`, async (t) => {
      const { source, pass, arrive } = read(t, { whenStale })
      await arrive(current(0))
      await pass(3_999)
      assert.deepEqual(
        [source.state, source.needsRefresh(), source.isUsable()],
        ['current', false, true],
      )
      await pass(1)
      const accepts = whenStale === 'accept'
      assert.deepEqual(
        [source.state, source.needsRefresh(), source.isUsable()],
        ['stale', !accepts, accepts],
      )
    })
  }

  for (const [chance, age] of [
    [0, 900_000],
    [0.5, 810_000],
  ] as const) {
    it(`at the random number ${chance}, a feed is read anew after ${age / 1000} s`, async (t) => {
      const stage = read(t, { chance })
      const { source, requests, aborted, pass, arrive } = stage
      await arrive(ended('7.g') + current(0))
      await keepOpen(stage, age - 1)
      await arrive(current(age - 1))
      assert.deepEqual([requests.length, aborted(), source.state], [1, 0, 'current'])
      await pass(1)
      await arrive(current(age))
      assert.deepEqual([requests.length, aborted(), source.state], [2, 1, 'current'])
      assert.equal(requests[1]?.get('last-event-id'), '7.g')
      await pass(3_000)
      await arrive(current(2_999))
      assert.deepEqual([requests.length, aborted(), source.state], [2, 1, 'current'])
    })
  }

  it('refresh() of a feed resolves as soon as a heartbeat arrives', async (t) => {
    const { source, arrive, refresh } = read(t)
    const result = refresh()
    await arrive(ended('1.a'))
    assert.equal(result(), '')
    assert.equal(source.isRevoked(token), true)
    await arrive(current(0))
    assert.equal(result(), 'resolved')
  })

  it('refresh() of a new feed waits until 5 s after the first refresh()', async (t) => {
    const stage = read(t)
    const first = stage.refresh()
    await keepOpen(stage, 2_000)
    const second = stage.refresh()
    await keepOpen(stage, 3_000)
    assert.deepEqual([first(), second()], ['', ''])
    await stage.pass(1)
    assert.deepEqual([first(), second()], [tooSlow, tooSlow])
    await keepOpen(stage, 3_000)
    stage.refresh()
    assert.equal(stage.requests.length, 1)
  })

  it('refresh() of a stale feed waits for a heartbeat for 1 s', async (t) => {
    const stage = read(t)
    await stage.arrive(current(0))
    await keepOpen(stage, 4_000)
    const result = stage.refresh()
    await stage.pass(999)
    assert.equal(result(), '')
    await stage.pass(1)
    assert.equal(result(), tooSlow)
  })

  it('if a connection fails, refresh() of a feed rejects at once, until the retry', async (t) => {
    const { requests, pass, break: fail, refresh } = read(t)
    const first = refresh()
    await fail('cut')
    const second = refresh()
    await pass(999)
    assert.deepEqual([first(), second()], [`${unread}cut`, `${unread}cut`])
    assert.equal(requests.length, 1)
    await pass(1)
    assert.equal(requests.length, 2)
  })

  it('after a heartbeat, a feed retries soon again', async (t) => {
    const { requests, pass, arrive, break: fail } = read(t, { chance: 1 })
    for (let failures = 0; failures < 5; failures++) {
      await fail('cut')
      await pass(9_000)
    }
    assert.equal(requests.length, 6)
    await arrive(current(0))
    await fail('cut')
    await pass(1_999)
    assert.equal(requests.length, 6)
    await pass(1)
    assert.equal(requests.length, 7)
  })

  it('a feed logs each cause once, and when revocations can be read again', async (t) => {
    const stage = read(t)
    const { logged, pass, arrive, break: fail } = stage
    const error = (cause: string): string =>
      `error revocations cannot be read: ${unread}${cause}, because ${cause}`
    const expected = [error('cut'), error('torn')]
    for (const cause of ['cut', 'cut', 'torn', 'cut']) {
      await fail(cause)
      await pass(1_000)
    }
    assert.deepEqual(logged, expected)

    expected.push('info revocations can be read again: https://auth.example/revocations')
    await arrive(current(0) + current(0))
    assert.deepEqual(logged, expected)
    await fail('cut')
    await pass(1_000)
    assert.deepEqual(logged, expected, 'a failure is logged although the feed is still current')
    await keepOpen(stage, 3_000)
    await fail('cut')
    assert.deepEqual(logged, [...expected, error('cut')])
  })

  it('a feed that never fails logs nothing', async (t) => {
    const { logged, arrive } = read(t)
    await arrive(current(0) + current(0))
    assert.deepEqual(logged, [])
  })

  const longId = 'x'.repeat(200)
  for (const [what, events, id] of [
    ['the id of the last revocation', ended('6.f') + ended('7.g'), '7.g'],
    ['an id of 200 characters', ended(longId), longId],
    ['no id of 201 characters', ended(`${longId}x`), null],
    ['no id that begins with é', ended('é7.g'), null],
    ['no id that ends with é', ended('7.gé'), null],
    ['no id after a revocation without one', ended('7.g') + ended('').replace('id: \n', ''), null],
    ['no id after a reset', ended('7.g') + reset, null],
  ] as const) {
    it(`when it reconnects, a feed sends ${what}`, async (t) => {
      const { requests, pass, arrive, break: fail } = read(t)
      await arrive(events + current(0))
      await fail('cut')
      await pass(1_000)
      assert.deepEqual(
        requests.map((headers) => headers.get('last-event-id')),
        [null, id],
      )
    })
  }

  it('if the clock is set back, a feed forgets its state and reads all revocations', async (t) => {
    const { source, requests, logged, setBack, pass, arrive } = read(t)
    await arrive(ended('7.g') + current(0))
    setBack(60_000)
    await arrive(current(0))
    assert.equal(source.state, 'starting')
    assert.match(logged.join(), /the clock was set back/)
    await pass(1_000)
    assert.deepEqual(
      requests.map((headers) => headers.get('last-event-id')),
      [null, null],
    )
  })

  for (const [what, elapsed, fault] of [
    ['sent 3000 ms ago', 2_000, undefined],
    ['sent 3001 ms ago', 1_999, 'an event `current` arrived too late'],
    ['from 1000 ms ahead', 6_000, undefined],
    ['from 1001 ms ahead', 6_001, 'the issuer counts more time'],
    ['with a negative time', -1, 'an event `current` is malformed'],
  ] as const) {
    it(`a feed ${fault ? 'refuses' : 'accepts'} a heartbeat ${what}`, async (t) => {
      const stage = read(t)
      await keepOpen(stage, 5_000)
      await stage.arrive(current(elapsed))
      assert.equal(stage.source.state, fault ? 'stale' : 'current')
      assert.equal(stage.aborted(), fault ? 1 : 0)
      assert.equal(stage.logged.length, fault ? 1 : 0)
      assert.ok(stage.logged.join().includes(fault ?? ''))
    })
  }

  it('close() ends the connection of a feed, its timers and each refresh()', async (t) => {
    const { source, requests, aborted, timers, pass, arrive, refresh } = read(t)
    await arrive(':\n')
    const waiting = refresh()
    source.close()
    await pass(0)
    assert.deepEqual([waiting(), aborted(), timers()], [tooSlow, 1, 0])
    const later = refresh()
    await pass(0)
    assert.deepEqual([later(), requests.length, timers()], [tooSlow, 1, 0])
  })

  it('close() ends the pause of a feed before its next connection', async (t) => {
    const { source, timers, break: fail } = read(t)
    await fail('cut')
    assert.equal(timers(), 1)
    source.close()
    assert.equal(timers(), 0)
  })

  it('in a Worker, each refresh() of a feed connects until a heartbeat arrives', async (t) => {
    becomeWorker(t)
    const { source, requests, aborted, timers, pass, arrive, refresh } = read(t, {
      whenStale: 'accept',
    })
    await arrive(current(0))
    assert.deepEqual([requests.length, aborted(), timers()], [1, 1, 0])
    await pass(3_999)
    assert.deepEqual([source.state, source.needsRefresh()], ['current', false])
    await pass(1)
    assert.deepEqual([source.state, source.needsRefresh()], ['stale', true])
    const result = refresh()
    await arrive(current(0))
    assert.deepEqual([result(), requests.length, aborted()], ['resolved', 2, 2])
  })

  it('in a Worker, no timer connects a feed again', async (t) => {
    becomeWorker(t)
    const { requests, timers, pass, break: fail, refresh } = read(t)
    await fail('cut')
    assert.equal(timers(), 0)
    await pass(1_000)
    refresh()
    assert.equal(requests.length, 2)
  })

  it('in a Worker, refresh() of a feed gives up a connection after 5 s', async (t) => {
    becomeWorker(t)
    const { source, requests, suspend, arrive, refresh } = read(t)
    await arrive(':\n')
    suspend(5_000)
    refresh()
    assert.equal(requests.length, 1)
    suspend(1)
    const result = refresh()
    assert.equal(requests.length, 2)
    await arrive(current(5_001), 0)
    assert.deepEqual([result(), source.state], ['', 'stale'])
    await arrive(current(0), 1)
    assert.deepEqual([result(), source.state], ['resolved', 'current'])
  })
})
