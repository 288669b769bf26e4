// Tests of one connection to a feed. The tests on real sockets are in revocation-feed.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { current, until } from '../../test-support/scripted-feed.ts'
import { openFeedStream, type FeedStream } from './feed-stream.ts'

interface Stage {
  readonly stream: FeedStream
  /** The types of the events that were passed on. */
  readonly events: readonly string[]
  /** The reasons for which the connection ended. */
  readonly ends: readonly string[]
  /** Lets bytes arrive. */
  arrive(text: string): void
  /** Makes the body fail. */
  break(thrown: unknown): void
}

/** Opens a connection to a body that the test writes. */
function open(onEvent = (): void => {}): Stage {
  const events: string[] = []
  const ends: string[] = []
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) })
  const headers = { 'content-type': 'text/event-stream' }
  const location = {
    url: 'https://auth.example/revocations',
    clientId: 'orders',
    clientSecret: 'pX3',
    fetch: async () => new Response(body, { headers }),
  }
  const stream = openFeedStream(location, undefined, {
    onEvent({ type }) {
      events.push(type)
      onEvent()
    },
    onEnd: ({ message }) => void ends.push(message),
  })
  return {
    stream,
    events,
    ends,
    arrive: (text) => controller?.enqueue(new TextEncoder().encode(text)),
    break: (thrown) => controller?.error(thrown),
  }
}

describe('openFeedStream', () => {
  for (const thrown of [undefined, Object.create(null), 'text']) {
    it(`for a thrown value of type ${typeof thrown}, openFeedStream reports an Error`, async () => {
      const stage = open()
      stage.arrive(current(0))
      await until(() => stage.events.length === 1)
      stage.break(thrown)
      await until(() => stage.ends.length === 1)
      const message = 'the connection to https://auth.example/revocations failed'
      assert.deepEqual(stage.ends, [message])
    })
  }

  it('if onEvent throws, openFeedStream disconnects and passes on no more events', async () => {
    const stage = open(() => {
      throw new Error('cannot be handled')
    })
    stage.arrive(current(0) + current(0))
    await until(() => stage.ends.length === 1)
    assert.deepEqual(stage.ends, ['cannot be handled'])
    assert.deepEqual(stage.events, ['current'])
  })

  it('after close(), openFeedStream passes on no event, and calls onEnd only once', async () => {
    const stage = open(() => stage.stream.close(new Error('enough')))
    stage.arrive(current(0) + current(0))
    await until(() => stage.ends.length === 1)
    stage.stream.close(new Error('again'))
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(stage.ends, ['enough'])
    assert.deepEqual(stage.events, ['current'])
  })

  it('close() of a feed stream disconnects even if fetch ignores the abort signal', async () => {
    const stage = open()
    stage.arrive(current(0))
    await until(() => stage.events.length === 1)
    stage.stream.close(new Error('enough'))
    await until(() => stage.ends.length === 1)
    assert.deepEqual(stage.ends, ['enough'])
  })
})
