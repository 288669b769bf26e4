// How old the revocations of a feed are. No timer changes the state: each check compares times. So
// a blocked event loop cannot delay it.
import { parseJsonObject } from '../base/json.ts'
import type { RevocationState } from './revocations.ts'

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

/** How long the state may be `starting` at most. After that, `whenStale` applies. */
export const startMilliseconds = 5_000

export interface FeedAge {
  readonly state: RevocationState
  /** The time since the issuer sent the last event `current`. */
  readonly milliseconds: number
  isCurrent(): boolean
  /** The first call begins the time in which the state may be `starting`. */
  begin(): void
  /** How long the state may still be `starting`, after `begin()`. */
  startingMilliseconds(): number
  /** @param sentAt when the issuer sent an event `current`, see `sendingTimeOf` */
  renew(sentAt: number): void
  /** Ends the state `current`, because all revocations must be read again. */
  expire(): void
}

/** Measures time with `performance.now()`, so a change of the clock does not affect it. */
export function createFeedAge(): FeedAge {
  let begunAt = Number.POSITIVE_INFINITY
  let sentAt = Number.NEGATIVE_INFINITY

  return {
    get state() {
      const now = performance.now()
      if (now - sentAt < staleAfterMilliseconds) return 'current'
      return sentAt < 0 && now - begunAt < startMilliseconds ? 'starting' : 'stale'
    },
    get milliseconds() {
      return performance.now() - sentAt
    },
    // Guards call this for each request, so it reads the time once.
    isCurrent: () => performance.now() - sentAt < staleAfterMilliseconds,
    begin() {
      begunAt = Math.min(begunAt, performance.now())
    },
    startingMilliseconds: () => begunAt + startMilliseconds - performance.now(),
    renew(newest) {
      sentAt = newest
    },
    expire() {
      sentAt = Number.NEGATIVE_INFINITY
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
export function sendingTimeOf(data: string, openedAt: number): number {
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
