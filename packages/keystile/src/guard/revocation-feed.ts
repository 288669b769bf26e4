// Reads the revocation feed of an issuer. This file decides when to connect, and knows how old the
// revocations are. `feed-stream.ts` is one connection.
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { endsWithRequest } from '../base/runtime.ts'
import { withDeadline } from '../http/deadline.ts'
import type { ServerSentEvent } from '../http/event-stream.ts'
import { createFeedList } from './feed-list.ts'
import { openFeedStream, type FeedLocation, type FeedStream } from './feed-stream.ts'
import { createRetries } from './retries.ts'
import type { RevocationSource, RevocationState } from './revocations.ts'

/** Without an event `current` for this time, this process may lack revocations. */
const staleAfterMilliseconds = 4_000

/** The state is not `starting` for longer, so that `whenStale` applies then. */
const startMilliseconds = 5_000

/** How long the check of a token waits at most if the state is `stale`. */
const catchUpMilliseconds = 1_000

/** How a verifier reads the feed. */
export interface FeedParts extends FeedLocation {
  readonly whenStale: 'accept' | 'refuse'
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Creates a reader of a revocation feed. It connects at the first `refresh()`, and then stays
 * connected. After a failure it connects again: at first after about a second, later after at most
 * ten seconds, at random times, so that many verifiers do not all come at once.
 *
 * In Cloudflare Workers, a connection ends with the request that opened it. There, `refresh()`
 * reads the feed up to the event `current`, and closes the connection.
 *
 * The age of the knowledge is real time (`performance.now()`), which a change of the clock does not
 * affect. Does NOT count time during which the machine was suspended.
 */
export function createRevocationFeed(parts: FeedParts): RevocationSource {
  const { url, whenStale, clock, logger } = parts
  const list = createFeedList(clock)
  const retries = createRetries()
  const news = createNews()
  const logged = new Set<string>()
  let firstAt = Number.POSITIVE_INFINITY
  let knownAt = Number.NEGATIVE_INFINITY
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
        if (stream === opened) receive(event)
      },
      onEnd(reason) {
        if (stream === opened) fail(reason)
      },
    })
    stream = opened
  }

  /** Opens a connection if there is none and the time for one has come. */
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

  function receive({ type, data, id }: ServerSentEvent): void {
    if (type === 'reset') lastEventId = undefined
    if (type === 'revocation') {
      list.add(data)
      // A header field has no other characters. Without an id, everything is sent again.
      lastEventId = /^[\x21-\x7e]{1,200}$/.exec(id ?? '')?.[0]
    }
    if (type !== 'current') return

    if (!list.purge()) {
      knownAt = Number.NEGATIVE_INFINITY
      lastEventId = undefined
      throw new Error('the clock was set back; all revocations are read again')
    }
    knownAt = performance.now()
    failure = undefined
    retries.reset()
    if (logged.size > 0) logger.info({ url }, 'revocations can be read again')
    logged.clear()
    if (endsWithRequest()) disconnect('the request ends')
    news.tell()
  }

  function fail(cause: Error): void {
    stream = undefined
    failure = new Error(`revocations cannot be read: ${cause.message}`, { cause })
    if (stateNow() !== 'current' && !logged.has(cause.message)) {
      logged.add(cause.message)
      logger.error({ err: failure }, 'revocations cannot be read')
    }

    const pause = retries.pause()
    if (!endsWithRequest()) {
      timer = setTimeout(open, pause)
      // This timer alone must not keep a process running. In Deno, a timer is a number.
      timer.unref?.()
    }
    news.tell()
  }

  function waitMilliseconds(): number {
    if (stateNow() !== 'starting') return catchUpMilliseconds
    return startMilliseconds - Math.max(0, performance.now() - firstAt)
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

/** Lets several callers wait for the next piece of news. */
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
