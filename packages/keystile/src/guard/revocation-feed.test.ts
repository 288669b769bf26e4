// Tests of a verifier that reads the revocation feed of an issuer, on real sockets.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { until } from '../../../../tools/until.ts'
import {
  current,
  reset,
  revocation,
  startFeed,
  type ScriptedFeed,
} from '../../test-support/scripted-feed.ts'
import { TokenError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { issueAccessToken } from '../token/access-token.ts'
import { readRevocations } from './revocation-source.ts'
import { createVerifier, type Verifier, type VerifierOptions } from './verifier.ts'

const key = generateKey('ES256')
const clientId = 'orders api'
const clientSecret = 'a:secret/ü'

interface Stage {
  readonly feed: ScriptedFeed
  readonly verifier: Verifier
  /** What was logged, as `level message: error`. */
  readonly logged: readonly string[]
  /** Returns a token of a session. */
  token(sessionId: string): string
  advance(milliseconds: number): void
}

async function start(
  t: TestContext,
  whenStale: 'accept' | 'refuse' = 'refuse',
  options: Partial<VerifierOptions> = {},
): Promise<Stage> {
  const feed = await startFeed()
  const { issuer } = feed
  const logged: string[] = []
  const log =
    (level: string) =>
    (fields: { readonly err?: Error }, message: string): void => {
      if (level !== 'debug') logged.push([level, message, fields.err?.message].join(' '))
    }
  const logger = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [level, log(level)]),
  ) as unknown as Logger
  let offset = 0
  const clock = { now: () => Date.now() + offset }
  const verifier = createVerifier({
    issuer,
    audience: 'orders',
    keys: keySetOf([key]),
    revocations: { clientId, clientSecret, whenStale },
    clock,
    logger,
    ...options,
  })
  t.after(async () => {
    verifier.close()
    await feed.stop()
  })
  return {
    feed,
    verifier,
    logged,
    token: (sessionId) =>
      issueAccessToken(
        { issuer, audience: 'orders', subject: 'alice', clientId: 'app', sessionId, scopes: [] },
        key,
        3_600,
        clock,
      ),
    advance(milliseconds) {
      offset += milliseconds
    },
  }
}

/** Returns `accepted`, or the reason of the refusal. */
async function verdict({ verifier }: Stage, token: string): Promise<string> {
  return verifier.verify(token).then(
    () => 'accepted',
    (error: unknown) => (error instanceof TokenError ? error.reason : assert.fail(String(error))),
  )
}

/** Sends bytes that keep the connections open, but are not news. */
function keepOpen(t: TestContext, feed: ScriptedFeed): void {
  const timer = setInterval(() => feed.send(': still here\n\n'), 500)
  t.after(() => clearInterval(timer))
}

const ended = (sessionId: string, id = '1.a'): string =>
  revocation(id, { kind: 'session', value: sessionId })

// The tests wait for seconds at the same time. More of them would delay each other’s heartbeats.
describe('a verifier with a revocation feed', { concurrency: 6, timeout: 600_000 }, () => {
  it('a verifier does not connect to the feed before ready() or the first token', async (t) => {
    const stage = await start(t)
    assert.equal(stage.verifier.state, 'starting')
    assert.equal(stage.verifier.revocationsAgeSeconds, Number.POSITIVE_INFINITY)
    assert.equal(stage.verifier.recall?.(stage.token('s1')), undefined)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(stage.feed.requests.length, 0)
    assert.equal(await verdict(stage, stage.token('s1')), 'accepted')
    assert.equal(stage.feed.requests.length, 1)
  })

  it('a verifier sends client id and secret to the feed as HTTP Basic, form-encoded', async (t) => {
    const { feed, verifier } = await start(t)
    await verifier.ready()
    assert.equal(verifier.state, 'current')
    assert.ok(Number(verifier.revocationsAgeSeconds) < 4)
    const [{ url, headers } = assert.fail()] = feed.requests
    assert.equal(url, '/revocations')
    assert.equal(headers.accept, 'text/event-stream')
    assert.equal(headers['last-event-id'], undefined)
    assert.equal(
      headers.authorization,
      `Basic ${Buffer.from('orders%20api:a%3Asecret%2F%C3%BC').toString('base64')}`,
    )
  })

  it('a verifier refuses sessions that are revoked before or after it connects', async (t) => {
    const stage = await start(t)
    const [first, second, other] = ['s1', 's2', 's3'].map(stage.token)
    stage.feed.opening = () => reset + ended('s1')
    assert.equal(await verdict(stage, first!), 'revoked')
    assert.equal(await verdict(stage, second!), 'accepted')
    assert.ok(stage.verifier.recall?.(second!))

    stage.feed.send(ended('s2', '2.b'))
    await until(() => !stage.verifier.recall?.(second!))
    assert.equal(await verdict(stage, second!), 'revoked')
    assert.equal(await verdict(stage, other!), 'accepted')
    assert.equal(stage.feed.requests.length, 1)
  })

  it('a verifier refuses all cached and new tokens of a revoked key', async (t) => {
    const stage = await start(t)
    const token = stage.token('s1')
    assert.equal(await verdict(stage, token), 'accepted')
    stage.feed.send(revocation('1.a', { kind: 'key', value: key.keyId ?? assert.fail() }))
    await until(() => !stage.verifier.recall?.(token))
    assert.equal(await verdict(stage, token), 'revoked')
    assert.equal(await verdict(stage, stage.token('s2')), 'revoked')
  })

  it('a verifier ignores unknown events and revocations of an unknown kind', async (t) => {
    const stage = await start(t)
    stage.feed.opening = () =>
      revocation('1.a', { kind: 'tenant', value: 's1' }) +
      'event: else\ndata: {}\n\n' +
      `data: {"kind":"session","value":"s1","expires_at":${Date.now() + 1_000}}\n\n`
    assert.equal(await verdict(stage, stage.token('s1')), 'accepted')
    assert.equal(stage.feed.requests.length, 1)
  })

  it('a verifier reconnects with Last-Event-ID; a reset event removes no revocation', async (t) => {
    const stage = await start(t)
    const { feed, verifier } = stage
    feed.opening = (id) => (id === undefined ? reset + ended('s1', '1.a') : reset)
    await verifier.ready()
    feed.send(ended('s2', '2.b'))
    await until(async () => (await verdict(stage, stage.token('s2'))) === 'revoked')
    feed.cut()
    await until(() => feed.requests.length === 2)
    assert.equal(feed.requests[1]?.headers['last-event-id'], '2.b')

    await until(() => feed.open === 1)
    feed.send(ended('s3', '1.c'))
    await until(async () => (await verdict(stage, stage.token('s3'))) === 'revoked')
    for (const known of ['s1', 's2'])
      assert.equal(await verdict(stage, stage.token(known)), 'revoked')
    feed.cut()
    await until(() => feed.requests.length === 3)
    assert.equal(feed.requests[2]?.headers['last-event-id'], '1.c')
  })

  it('a verifier reconnects without Last-Event-ID if the last event was a reset', async (t) => {
    const { feed, verifier } = await start(t)
    feed.opening = (id) => (id === undefined ? ended('s1') : reset)
    await verifier.ready()
    feed.cut()
    await until(() => feed.requests.length === 2 && feed.open === 1)
    feed.cut()
    await until(() => feed.requests.length === 3)
    const ids = feed.requests.map(({ headers }) => headers['last-event-id'])
    assert.deepEqual(ids, [undefined, '1.a', undefined])
  })

  it('a verifier reconnects without Last-Event-ID if the id cannot be in a header', async (t) => {
    const { feed, verifier } = await start(t)
    feed.opening = (id) => (id === undefined ? ended('s1', 'é€ \t') : '')
    await verifier.ready()
    feed.cut()
    await until(() => feed.requests.length === 2)
    assert.equal(feed.requests[1]?.headers['last-event-id'], undefined)
    await until(() => feed.open === 1)
    await verifier.ready()
  })

  it('a new verifier waits for 5 s, even if timers fire early', async (t) => {
    const stage = await start(t, 'accept')
    stage.feed.beats = false
    keepOpen(t, stage.feed)
    const exact = setTimeout
    t.mock.method(globalThis, 'setTimeout', (call: () => void, milliseconds = 0) =>
      exact(call, milliseconds * 0.9),
    )
    assert.equal(await verdict(stage, stage.token('s1')), 'accepted')
  })

  for (const whenStale of ['refuse', 'accept'] as const) {
    it(`a new verifier will ${whenStale} tokens if no heartbeat arrives within 5 s`, async (t) => {
      const stage = await start(t, whenStale)
      const { feed, verifier } = stage
      feed.beats = false
      keepOpen(t, feed)
      feed.opening = () => ended('s1')
      const early = verdict(stage, stage.token('s2'))
      await until(() => feed.open === 1)
      assert.equal(verifier.state, 'starting')
      assert.equal(verifier.recall?.(stage.token('s2')), undefined)
      await until(() => verifier.state === 'stale')
      assert.equal(feed.requests.length, 1)
      const later = whenStale === 'accept' ? 'accepted' : 'revocations_unavailable'
      assert.equal(await early, later)
      assert.equal(await verdict(stage, stage.token('s2')), later)
      const known = whenStale === 'accept' ? 'revoked' : 'revocations_unavailable'
      assert.equal(await verdict(stage, stage.token('s1')), known)

      feed.beat()
      await until(() => verifier.state === 'current')
      assert.equal(await verdict(stage, stage.token('s2')), 'accepted')
      assert.equal(await verdict(stage, stage.token('s1')), 'revoked')
    })

    it(`if feed heartbeats stop, a verifier will ${whenStale} tokens and reconnect`, async (t) => {
      const stage = await start(t, whenStale)
      const { feed, verifier } = stage
      const [open, known] = [stage.token('s1'), stage.token('s2')]
      assert.equal(await verdict(stage, open), 'accepted')
      assert.equal(await verdict(stage, known), 'accepted')
      feed.send(ended('s2'))
      await until(() => !verifier.recall?.(known))
      feed.beats = false
      await until(() => verifier.state === 'stale')
      assert.ok(Number(verifier.revocationsAgeSeconds) >= 4)
      assert.equal(verifier.recall?.(known), undefined)
      assert.equal(verifier.recall?.(open) !== undefined, whenStale === 'accept')

      await until(() => feed.requests.length === 2)
      const isAccepting = whenStale === 'accept'
      const later = isAccepting ? 'accepted' : 'revocations_unavailable'
      assert.equal(await verdict(stage, open), later)
      assert.equal(await verdict(stage, known), isAccepting ? 'revoked' : later)
      assert.equal(feed.open, 1)
      feed.beats = true
      await until(() => verifier.state === 'current')
      assert.equal(await verdict(stage, open), 'accepted')
      assert.equal(await verdict(stage, known), 'revoked')
    })
  }

  it('if revocations are stale, verify() accepts a token once a heartbeat arrives', async (t) => {
    const stage = await start(t)
    const { feed, verifier } = stage
    await verifier.ready()
    feed.beats = false
    keepOpen(t, feed)
    await until(() => verifier.state === 'stale')
    const waiting = verdict(stage, stage.token('s1'))
    feed.beat()
    assert.equal(await waiting, 'accepted')
    assert.equal(feed.requests.length, 1)
  })

  it('verify() rejects with 503 and Retry-After if the revocation feed answers 503', async (t) => {
    const { feed, verifier, token } = await start(t)
    feed.instead = (response) => void response.writeHead(503).end()
    await assert.rejects(verifier.verify(token('s1')), (error) => {
      assert.ok(error instanceof TokenError)
      assert.equal(error.status, 503)
      assert.ok(Number(error.retryAfterSeconds) >= 1)
      return true
    })
  })

  for (const [status, message] of [
    [401, /does not know the client orders api, or its secret is wrong\. Fix: correct clientId/],
    [403, /does not allow the client orders api .*Fix: create a client with `keystile client/],
    [404, /does not exist: the issuer must be a Keystile server/],
    [302, /redirects; configure the final URL/],
    [500, /answered 500 instead of 200/],
  ] as const) {
    it(`if the feed answers ${status}, ready() and one log line say what to do`, async (t) => {
      const stage = await start(t)
      const { feed, verifier, logged } = stage
      const target = await startFeed()
      t.after(() => target.stop())
      feed.instead = (response) =>
        void response.writeHead(status, { location: `${target.issuer}/revocations` }).end()
      await assert.rejects(verifier.ready(), message)
      assert.equal(await verdict(stage, stage.token('s1')), 'revocations_unavailable')
      await until(() => feed.requests.length === 3)
      assert.equal(target.requests.length, 0)
      feed.instead = undefined
      await until(() => verifier.state === 'current')
      const [first, ...others] = logged
      assert.match(first ?? '', message)
      assert.deepEqual(others, ['info revocations can be read again '])
      assert.doesNotMatch(logged.join(), /secret\/|a%3A/)
    })
  }

  it('ready() rejects if the feed answers with something other than an event stream', async (t) => {
    const { feed, verifier } = await start(t)
    feed.instead = (response) => void response.end(ended('s1') + current(0))
    await assert.rejects(verifier.ready(), /must answer with text\/event-stream/)
  })

  it('ready() rejects while the issuer is down, and resolves once it is back', async (t) => {
    const { feed, verifier } = await start(t)
    await feed.stop()
    await assert.rejects(verifier.ready(), /\/revocations cannot be reached/)
    await feed.restart()
    feed.beats = true
    feed.opening = () => current(0)
    await until(() => verifier.state === 'current')
    await verifier.ready()
  })

  for (const [what, text] of [
    ['a malformed revocation', 'event: revocation\nid: 1.a\ndata: {"kind":"session"}\n\n'],
    ['an event `current` without `elapsed_ms`', 'event: current\ndata: {}\n\n'],
    ['an `elapsed_ms` that is a string', 'event: current\ndata: {"elapsed_ms":"1"}\n\n'],
    ['an `elapsed_ms` that is negative', current(-1)],
    ['an `elapsed_ms` that is a fraction', 'event: current\ndata: {"elapsed_ms":0.5}\n\n'],
    ['an `elapsed_ms` that exceeds the age of the connection', current(60_000)],
    ['an endless line', 'x'.repeat(70_000)],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0x0a])],
  ] as const) {
    it(`a verifier disconnects after ${what}, and stays in the state "starting"`, async (t) => {
      const stage = await start(t)
      const { feed, verifier } = stage
      feed.beats = false
      feed.instead = (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(text)
        response.write(current(0))
      }
      await assert.rejects(verifier.ready(), /revocations cannot be read/)
      assert.equal(verifier.state, 'starting')
      assert.equal(await verdict(stage, stage.token('s1')), 'revocations_unavailable')
    })
  }

  it('revocations become stale if each heartbeat arrives seconds after it was sent', async (t) => {
    const stage = await start(t)
    const { feed, verifier } = stage
    const token = stage.token('s1')
    assert.equal(await verdict(stage, token), 'accepted')
    feed.beats = false
    feed.instead = () => {}
    // Simulates a network that delays events: each event that arrives was sent when the connection
    // was 0.1 s old.
    const timer = setInterval(() => feed.send(current(100)), 100)
    t.after(() => clearInterval(timer))
    await until(() => verifier.state === 'stale')
    assert.equal(await verdict(stage, token), 'revocations_unavailable')
    await until(() => feed.open === 0)

    feed.instead = undefined
    feed.beats = true
    feed.opening = () => ended('s1')
    await until(() => verifier.state === 'current')
    assert.equal(await verdict(stage, token), 'revoked')
  })

  it('a verifier reconnects to the feed even if the logger of the app throws', async (t) => {
    const fail = (): never => assert.fail('the logger is broken')
    const logger = { debug() {}, info: fail, warn: fail, error: fail }
    const stage = await start(t, 'refuse', { logger })
    const { feed, verifier } = stage
    feed.instead = (response) => void response.writeHead(503).end()
    await assert.rejects(verifier.ready(), /answered 503/)
    await until(() => feed.requests.length === 2)
    feed.instead = undefined
    await until(() => verifier.state === 'current')
    const { length } = feed.requests
    assert.equal(await verdict(stage, stage.token('s1')), 'accepted')
    assert.equal(feed.open, 1)
    assert.equal(feed.requests.length, length)
  })

  it('a verifier asks for all revocations if the clock is set back', async (t) => {
    const stage = await start(t)
    const { feed, verifier } = stage
    feed.opening = (id) => (id === undefined ? ended('s1') : '')
    const token = stage.token('s1')
    await verifier.ready()
    stage.advance(1_000_000)
    await until(async () => (await verdict(stage, token)) === 'accepted')
    stage.advance(-1_000_000)
    await until(async () => (await verdict(stage, token)) === 'revoked')
    assert.equal(feed.requests[1]?.headers['last-event-id'], undefined)
  })

  it('after close(), a verifier disconnects from the feed and does not reconnect', async (t) => {
    const stage = await start(t)
    const { feed, verifier } = stage
    await verifier.ready()
    verifier.close()
    await until(() => feed.open === 0)
    assert.equal(verifier.state, 'stale')
    assert.equal(await verdict(stage, stage.token('s1')), 'verifier_closed')
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    assert.equal(feed.requests.length, 1)
  })

  it('after close(), refresh() of a revocation feed rejects and opens no connection', async (t) => {
    const feed = await startFeed()
    t.after(() => feed.stop())
    const source = readRevocations(
      { revocations: { clientId, clientSecret, whenStale: 'refuse' } },
      [feed.issuer],
      { now: () => Date.now() },
    )
    assert.ok(source)
    source.close()
    await assert.rejects(source.refresh())
    assert.equal(feed.requests.length, 0)
  })

  it('close() makes a waiting verify() reject with revocations_unavailable', async (t) => {
    const stage = await start(t)
    stage.feed.instead = () => {}
    const waiting = verdict(stage, stage.token('s1'))
    await until(() => stage.feed.requests.length === 1)
    stage.verifier.close()
    assert.equal(await waiting, 'revocations_unavailable')
  })

  it('a connected verifier checks tokens without sending a request', async (t) => {
    const stage = await start(t)
    for (let n = 0; n < 200; n++)
      assert.equal(await verdict(stage, stage.token(`s${n}`)), 'accepted')
    assert.equal(stage.feed.requests.length, 1)
  })

  it('a new verifier opens only one connection if 20 tokens arrive simultaneously', async (t) => {
    const stage = await start(t)
    const askTwenty = (): Promise<readonly unknown[]> =>
      Promise.all(Array.from({ length: 20 }, (_, n) => verdict(stage, stage.token(`s${n}`))))
    // On a busy machine, the feed may answer later than a verifier waits.
    const verdicts = await until(async () => {
      const answers = await askTwenty()
      return !answers.includes('revocations_unavailable') && answers
    })
    assert.deepEqual(new Set(verdicts), new Set(['accepted']))
    assert.equal(stage.feed.requests.length, 1)
  })
})
