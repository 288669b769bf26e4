// How a revocation reaches an API on another machine: a verifier with `revocations: { clientId,
// clientSecret, whenStale }` follows `GET /revocations` of its issuer
// (decisions/0028-verifiers-keep-a-connection.md). Read in this order:
//
// - `revocation-source.ts` reads the option. The verifier asks every source in the same way:
//   whether it needs a refresh, and whether a token is revoked.
// - This file reads the events, and answers the verifier.
// - `feed-connection.ts` decides when to connect. `retries.ts` has the pauses between failed
//   connections. `feed-stream.ts` is one connection; http/event-stream.ts parses its events.
// - `feed-list.ts` keeps the revocations that were read, in the list of `revocations.ts`, which the
//   server uses too.
// - `feed-age.ts` knows how old they are, and so whether tokens may be checked.
// - `feed-failures.ts` tells the logger of failures, each different one once.
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { endsWithRequest } from '../base/runtime.ts'
import { withDeadline } from '../http/deadline.ts'
import type { ServerSentEvent } from '../http/event-stream.ts'
import { createFeedAge, sendingTimeOf } from './feed-age.ts'
import { createFeedConnection } from './feed-connection.ts'
import { createFeedFailures } from './feed-failures.ts'
import { createFeedList } from './feed-list.ts'
import type { FeedLocation } from './feed-stream.ts'
import type { RevocationSource } from './revocations.ts'

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
  const { url, whenStale } = parts
  const { list, age, failures, news, connection } = createReader(parts)

  /** Waits until the next event `current` arrives, the connection ends, or the time is over. */
  async function waitForNews(): Promise<void> {
    const next = news.next()
    if (age.state !== 'starting') {
      await arrives(next, catchUpMilliseconds)
      return
    }

    // A timer may fire a millisecond early, so the state may still be `starting` after a wait.
    let hasArrived = false
    while (!hasArrived && age.state === 'starting')
      hasArrived = await arrives(next, age.startingMilliseconds() + 1)
  }

  return {
    get state() {
      return age.state
    },
    get ageSeconds() {
      return age.milliseconds / 1000
    },
    get retryAfterSeconds() {
      return connection.secondsToNext()
    },
    needsRefresh() {
      if (age.isCurrent()) return false
      return whenStale === 'refuse' || age.state === 'starting' || endsWithRequest()
    },
    isUsable() {
      const { state } = age
      return state === 'current' || (state === 'stale' && whenStale === 'accept')
    },
    isRevoked: (token) => list.isRevoked(token),
    async refresh() {
      age.begin()
      if (connection.open()) await waitForNews()
      if (age.isCurrent()) return
      throw failures.last ?? new Error(`revocations cannot be read: ${url} is too slow`)
    },
    close() {
      connection.close()
      news.tell()
    },
  }
}

/** Waits for news, and returns whether it has arrived within the time. */
function arrives(news: Promise<void>, milliseconds: number): Promise<boolean> {
  return withDeadline(() => news, milliseconds / 1000).promise.then(
    () => true,
    () => false,
  )
}

/** Applies each event that arrives on the connection. */
function createReader(parts: FeedParts) {
  const list = createFeedList(parts.clock)
  const age = createFeedAge()
  const failures = createFeedFailures(parts)
  const news = createNews()
  const connection = createFeedConnection(parts, {
    lastEventId: () => list.lastEventId,
    onEvent: receive,
    onEnd(reason) {
      failures.add(reason)
      if (!age.isCurrent()) failures.report()
      news.tell()
    },
  })

  function receive({ type, data, id }: ServerSentEvent, openedAt: number): void {
    if (type === 'reset') list.startOver()
    if (type === 'revocation') list.add(data, id)
    if (type !== 'current') return

    const sentAt = sendingTimeOf(data, openedAt)
    if (!list.purge()) {
      list.startOver()
      age.expire()
      throw new Error('the clock was set back; all revocations are read again')
    }
    age.renew(sentAt)
    failures.end()
    connection.succeed()
    news.tell()
  }

  return { list, age, failures, news, connection }
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
