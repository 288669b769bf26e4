// How a revocation reaches an API on another machine: a verifier with `revocations: { clientId,
// clientSecret, whenStale }` follows `GET /revocations` of its issuer
// (decisions/0028-verifiers-keep-a-connection.md). Read in this order:
//
// - `revocation-source.ts` reads the option. The verifier asks every source in the same way:
//   whether it needs a refresh, and whether a token is revoked.
// - This file decides when to connect, and knows how old the revocations are. No timer changes the
//   state: each check compares times. So a blocked event loop cannot delay it.
// - `retries.ts` has the pauses between failed connections.
// - `feed-stream.ts` is one connection. http/event-stream.ts parses its events.
// - `feed-list.ts` keeps the revocations that were read, in the list of `revocations.ts`, which the
//   server uses too.
import type { Clock } from '../base/clock.ts'
import { parseJsonObject } from '../base/json.ts'
import type { Logger } from '../base/log.ts'
import { endsWithRequest } from '../base/runtime.ts'
import { withDeadline } from '../http/deadline.ts'
import type { ServerSentEvent } from '../http/event-stream.ts'
import { createFeedList } from './feed-list.ts'
import { openFeedStream, type FeedLocation, type FeedStream } from './feed-stream.ts'
import { createRetries } from './retries.ts'
import type { RevocationSource, RevocationState } from './revocations.ts'

/**
 * How old the last event `current` may be. The issuer sends this event each second. If the last
 * event is older, this process may lack revocations.
 */
const staleAfterMilliseconds = 4_000

/**
 * How long an event `current` may take to arrive. If it takes longer, the verifier ends the
 * connection. The issuer sends the event each second. If each event took 3 s to arrive, the last
 * event would be 4 s old at the arrival of the next event. The state would already be `stale`.
 */
const lateMilliseconds = 3_000

/**
 * The issuer and this process both measure the time since the connection was opened. The time of
 * the issuer may exceed the time of this process by at most this many milliseconds.
 */
const aheadMilliseconds = 1_000

/**
 * How long a connection is used at most. Two clocks may drift apart by 0.2 ms a second. After 15
 * minutes, the computed age of an event is therefore wrong by at most 0.2 s.
 */
const connectionMilliseconds = 900_000

/** How long the state may be `starting` at most. After that, `whenStale` applies. */
const startMilliseconds = 5_000

/** How long the check of a token may wait for the feed if the state is `stale`. */
const catchUpMilliseconds = 1_000

export interface FeedParts extends FeedLocation {
  readonly whenStale: 'accept' | 'refuse'
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Creates a reader of a revocation feed. It connects at the first `refresh()`, and then stays
 * connected. After a failure it connects again: at first after about a second, later after at most
 * ten seconds. The pauses are random, so that many verifiers do not all connect at the same time.
 *
 * In Cloudflare Workers, a connection ends with the request that opened it. There, `refresh()`
 * reads the feed up to the event `current`, and closes the connection.
 *
 * `ageSeconds` is the time since the issuer sent the last event `current`. If the network delays
 * events, the verifier therefore becomes `stale`. The time is measured with `performance.now()`, so
 * a change of the clock does not affect it. The time does NOT include a suspension of the machine.
 * After a suspension, the next event `current` shows that the time is wrong. The reader then closes
 * the connection and connects again.
 */
export function createRevocationFeed(parts: FeedParts): RevocationSource {
  const { url, whenStale, clock, logger } = parts
  const list = createFeedList(clock)
  const retries = createRetries()
  const news = createNews()
  const logged = new Set<string>()
  let firstAt = Number.POSITIVE_INFINITY
  let knownAt = Number.NEGATIVE_INFINITY
  let renewAt = 0
  let lastEventId: string | undefined
  let stream: FeedStream | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let failure: Error | undefined
  let isClosed = false

  function stateNow(): RevocationState {
    const now = performance.now()
    if (now - knownAt < staleAfterMilliseconds) return 'current'
    return knownAt < 0 && now - firstAt < startMilliseconds ? 'starting' : 'stale'
  }

  function open(): void {
    if (stream || isClosed) return
    firstAt = Math.min(firstAt, retries.start())
    const opened = openFeedStream(parts, lastEventId, {
      onEvent(event) {
        if (stream === opened) receive(event, opened.openedAt)
      },
      onEnd(reason) {
        if (stream === opened) fail(reason)
      },
    })
    stream = opened
    // The times are random, so that many verifiers do not all connect at the same time.
    renewAt = opened.openedAt + connectionMilliseconds * (1 - Math.random() / 5)
  }

  /** Opens a connection if none is open and the pause after the last connection has ended. */
  function connect(): FeedStream | undefined {
    // In a Worker, the request that opened the stream may have been aborted.
    const isLost =
      endsWithRequest() && performance.now() - (stream?.openedAt ?? 0) > startMilliseconds
    if (isLost) stream = undefined
    if (retries.isDue()) open()
    return stream
  }

  function disconnect(reason: string): void {
    const opened = stream
    stream = undefined
    opened?.close(new Error(reason))
  }

  function receive({ type, data, id }: ServerSentEvent, openedAt: number): void {
    if (type === 'reset') lastEventId = undefined
    if (type === 'revocation') {
      list.add(data)
      // Ignores an id that does not fit into a header field. Without an id, the issuer sends all
      // revocations again.
      lastEventId = /^[\x21-\x7e]{1,200}$/.exec(id ?? '')?.[0]
    }
    if (type !== 'current') return

    const sentAt = sendingTimeOf(data, openedAt)
    if (!list.purge()) {
      knownAt = Number.NEGATIVE_INFINITY
      lastEventId = undefined
      throw new Error('the clock was set back; all revocations are read again')
    }
    knownAt = sentAt
    failure = undefined
    retries.reset()
    if (logged.size > 0) log('info', { url }, 'revocations can be read again')
    logged.clear()
    if (endsWithRequest()) disconnect('the request ends')
    else if (performance.now() >= renewAt) {
      disconnect('the connection is renewed')
      open()
    }
    news.tell()
  }

  function fail(cause: Error): void {
    stream = undefined
    failure = new Error(`revocations cannot be read: ${cause.message}`, { cause })
    const pause = retries.pause()
    if (!endsWithRequest()) {
      timer = setTimeout(open, pause)
      // This timer alone must not keep a process running. In Deno, a timer is a number.
      timer.unref?.()
    }
    if (stateNow() !== 'current' && !logged.has(cause.message)) {
      logged.add(cause.message)
      log('error', { err: failure }, 'revocations cannot be read')
    }
    news.tell()
  }

  function log(level: 'info' | 'error', fields: object, message: string): void {
    try {
      logger[level](fields, message)
    } catch {
      // Nothing here can report that the app's logger fails. The verifier must still connect again.
    }
  }

  function waitMilliseconds(): number {
    if (stateNow() !== 'starting') return catchUpMilliseconds
    // A timer may fire a fraction of a millisecond early. The state would then still be `starting`.
    return startMilliseconds + 1 - Math.max(0, performance.now() - firstAt)
  }

  return {
    get state() {
      return stateNow()
    },
    get ageSeconds() {
      return (performance.now() - knownAt) / 1000
    },
    get retryAfterSeconds() {
      return retries.secondsToNext()
    },
    needsRefresh() {
      if (performance.now() - knownAt < staleAfterMilliseconds) return false
      return whenStale === 'refuse' || stateNow() === 'starting' || endsWithRequest()
    },
    isUsable() {
      const state = stateNow()
      return state === 'current' || (state === 'stale' && whenStale === 'accept')
    },
    isRevoked: (token) => list.isRevoked(token),
    async refresh() {
      const wait = waitMilliseconds() / 1000
      if (connect()) await withDeadline(news.next, wait).promise.catch(() => {})
      if (stateNow() === 'current') return
      throw failure ?? new Error(`revocations cannot be read: ${url} is too slow`)
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      disconnect('the verifier was closed')
      news.tell()
    },
  }
}

/**
 * Returns the time at which the issuer sent an event `current`, by `performance.now()`. The result
 * is never later than the true time: the issuer counts `elapsed_ms` from the arrival of the
 * request, but this function counts `elapsed_ms` from `openedAt`, when the request was sent.
 *
 * @throws {Error} if the event is malformed, if it arrives too late, or if the issuer counts more
 *   time since the request than this process does. The last case means that this machine was
 *   suspended, or that the answer belongs to another request
 */
function sendingTimeOf(data: string, openedAt: number): number {
  const elapsed = parseJsonObject(new TextEncoder().encode(data))['elapsed_ms']
  if (typeof elapsed !== 'number' || !Number.isSafeInteger(elapsed) || elapsed < 0) {
    throw new Error('an event `current` is malformed: `elapsed_ms` must be a whole number')
  }

  const now = performance.now()
  const sentAt = openedAt + elapsed
  if (now - sentAt > lateMilliseconds) throw new Error('an event `current` arrived too late')
  if (sentAt - now > aheadMilliseconds) {
    throw new Error(
      'the issuer counts more time since the request (`elapsed_ms`) than this process does',
    )
  }
  return Math.min(now, sentAt)
}

/** Each `next()` waits for the next call of `tell()`. Several callers can wait at the same time. */
function createNews(): { next(): Promise<void>; tell(): void } {
  let waiting: (() => void)[] = []
  return {
    next: () => new Promise((resolve) => void waiting.push(resolve)),
    tell() {
      const told = waiting
      waiting = []
      for (const resolve of told) resolve()
    },
  }
}
