// Tests of one connection to a feed. The tests on real sockets are in revocation-feed.test.ts.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { current } from '../../test-support/scripted-feed.ts'
import { openFeedStream, type FeedStream } from './feed-stream.ts'

const url = 'https://auth.example/revocations'

interface Stage {
  readonly stream: FeedStream
  /** The types of the events that were passed on. */
  readonly events: readonly string[]
  /** The reasons for which the connection ended. */
  readonly ends: readonly string[]
  /** The causes of these reasons. */
  readonly causes: readonly unknown[]
  /** The reasons for which the body was cancelled. */
  readonly cancelled: readonly string[]
  /** Lets bytes arrive. */
  arrive(text: string): void
  /** Makes the body fail. */
  break(thrown: unknown): void
}

interface Script {
  onEvent?(): void
  /** Default: answers with the body as an event stream. */
  answer?(body: ReadableStream<Uint8Array>, init: RequestInit | undefined): Promise<Response>
}

const eventStream = { 'content-type': 'text/event-stream' }

/** Opens a connection to a body that the test writes. */
function open({ onEvent, answer }: Script = {}): Stage {
  const events: string[] = []
  const ends: string[] = []
  const causes: unknown[] = []
  const cancelled: string[] = []
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: (reason) => void cancelled.push(String(reason)),
  })
  const location = {
    url,
    clientId: 'orders api',
    clientSecret: 'pX:3/ü',
    async fetch(_url: unknown, init?: RequestInit) {
      return answer ? answer(body, init) : new Response(body, { headers: eventStream })
    },
  }
  const stream = openFeedStream(location, undefined, {
    onEvent({ type }) {
      events.push(type)
      onEvent?.()
    },
    onEnd({ message, cause }) {
      ends.push(message)
      causes.push(cause)
    },
  })
  return {
    stream,
    events,
    ends,
    causes,
    cancelled,
    arrive: (text) => controller?.enqueue(new TextEncoder().encode(text)),
    break: (thrown) => controller?.error(thrown),
  }
}

/** Lets everything happen that waits for no timer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('openFeedStream', () => {
  for (const thrown of [undefined, Object.create(null), 'text']) {
    it(`for a thrown value of type ${typeof thrown}, openFeedStream reports an Error`, async () => {
      const stage = open()
      stage.arrive(current(0))
      await settle()
      stage.break(thrown)
      await settle()
      assert.deepEqual(stage.ends, [`the connection to ${url} failed`])
      assert.equal(stage.causes[0], thrown)
    })
  }

  it('if onEvent throws, openFeedStream disconnects and passes on no more events', async () => {
    const stage = open({
      onEvent() {
        throw new Error('cannot be handled')
      },
    })
    stage.arrive(current(0) + current(0))
    await settle()
    assert.deepEqual(stage.ends, ['cannot be handled'])
    assert.deepEqual(stage.cancelled, ['Error: cannot be handled'])
    assert.deepEqual(stage.events, ['current'])
  })

  it('after close(), openFeedStream passes on no event, and calls onEnd only once', async () => {
    const stage = open({ onEvent: () => stage.stream.close(new Error('enough')) })
    stage.arrive(current(0) + current(0))
    await settle()
    stage.stream.close(new Error('again'))
    await settle()
    assert.deepEqual(stage.ends, ['enough'])
    assert.deepEqual(stage.events, ['current'])
  })

  it('close() of a feed stream disconnects even if fetch ignores the abort signal', async () => {
    const stage = open()
    stage.arrive(current(0))
    await settle()
    stage.stream.close(new Error('enough'))
    await settle()
    assert.deepEqual(stage.ends, ['enough'])
  })

  it('openFeedStream sends the client’s credential, and allows no redirect', async () => {
    let sent: RequestInit | undefined
    open({ answer: (_, init) => new Promise(() => void (sent = init)) })
    await settle()
    const { signal: _, ...init } = sent ?? assert.fail()
    assert.deepEqual(init, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Basic ${btoa('orders%20api:pX%3A3%2F%C3%BC')}`,
      },
      redirect: 'manual',
      cache: 'no-store',
    })
  })

  for (const [what, status, type, fault] of [
    ['status 201', 201, 'text/event-stream', 'answered 201 instead of 200'],
    ['status 302', 302, 'text/event-stream', 'redirects; configure'],
    ['status 401', 401, 'text/html', 'does not know the client orders api, or its secret is wrong'],
    ['status 403', 403, 'text/html', 'does not allow the client orders api to read it'],
    ['status 404', 404, 'text/html', 'does not exist: '],
    ['another type', 200, 'text/html', 'must answer with text/event-stream'],
    ['a longer type', 200, 'x-text/event-stream', 'must answer with text/event-stream'],
    ['no type', 200, undefined, 'must answer with text/event-stream'],
  ] as const) {
    it(`openFeedStream refuses an answer with ${what}, and cancels its body`, async () => {
      const headers = new Headers(type === undefined ? [] : { 'content-type': type })
      const stage = open({ answer: async (body) => new Response(body, { status, headers }) })
      stage.arrive(current(0))
      await settle()
      assert.equal(stage.ends.length, 1)
      assert.equal(stage.ends[0]?.slice(0, url.length + 1 + fault.length), `${url} ${fault}`)
      assert.equal(stage.cancelled.length, 1)
      assert.deepEqual(stage.events, [])
    })
  }

  it('openFeedStream refuses an answer for which fetch has followed a redirect', async () => {
    const stage = open({
      async answer(body) {
        const response = new Response(body, { headers: eventStream })
        return Object.defineProperty(response, 'redirected', { value: true })
      },
    })
    stage.arrive(current(0))
    await settle()
    assert.match(stage.ends.join(), /redirects; configure the final URL/)
    assert.deepEqual(stage.events, [])
  })

  it('openFeedStream refuses an answer without a body', async () => {
    const stage = open({ answer: async () => new Response(null, { headers: eventStream }) })
    await settle()
    assert.deepEqual(stage.ends, [`${url} must answer with text/event-stream`])
  })

  it('if fetch rejects, openFeedStream reports that the feed cannot be reached', async () => {
    const cause = new Error('ECONNREFUSED')
    const stage = open({ answer: () => Promise.reject(cause) })
    await settle()
    assert.deepEqual([stage.ends, stage.causes], [[`${url} cannot be reached`], [cause]])
  })

  async function assertEndsAfter4Seconds(
    { mock }: TestContext,
    stage: ReturnType<typeof open>,
  ): Promise<void> {
    mock.timers.tick(3_999)
    await settle()
    assert.deepEqual(stage.ends, [])
    mock.timers.tick(1)
    await settle()
    assert.deepEqual(stage.ends, ['nothing arrived for 4000 ms'])
  }

  it('openFeedStream disconnects if the issuer does not answer for 4 s', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const stage = open({ answer: () => new Promise(() => {}) })
    await assertEndsAfter4Seconds(t, stage)
  })

  it('openFeedStream disconnects 4 s after the last bytes have arrived', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { promise: ready, resolve: answer } = Promise.withResolvers<void>()
    const stage = open({
      async answer(body) {
        await ready
        return new Response(body, { headers: eventStream })
      },
    })
    // The answer and each of the bytes start the 4 s again.
    for (const next of [answer, () => stage.arrive(':\n'), () => stage.arrive(':\n')]) {
      t.mock.timers.tick(3_999)
      await settle()
      next()
      await settle()
    }
    await assertEndsAfter4Seconds(t, stage)
  })

  it('after the end of a connection, no timer of openFeedStream is left', async (t) => {
    const started = t.mock.method(globalThis, 'setTimeout')
    const cleared = t.mock.method(globalThis, 'clearTimeout')
    const stage = open()
    stage.arrive(current(0))
    await settle()
    stage.break(new Error('broken'))
    await settle()
    const timers = started.mock.calls
      .filter(({ arguments: [, milliseconds] }) => milliseconds === 4_000)
      .map(({ result }) => result)
    assert.equal(timers.length, 3)
    assert.deepEqual(
      cleared.mock.calls.map(({ arguments: [timer] }) => timer),
      timers,
    )
  })
})
