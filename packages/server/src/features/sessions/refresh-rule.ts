/** Once in this time a session forgives an answer that was lost for longer than the grace. */
const lateRetryMilliseconds = 24 * 60 * 60 * 1000

/** What is known, under the session's lock, when a token with the right secret is shown. */
export interface Shown {
  readonly now: number
  /** 0: strictly once. */
  readonly graceSeconds: number
  readonly usedAt: number | null
  /** Until when it may be shown again as if it were the first time. */
  readonly repeatableUntil: number | null
  readonly successorIsUsed: boolean
  /** When the session was last forgiven a late retry. */
  readonly lateRetryAt: number | null
}

/**
 * What a refresh token is answered with: a `rotate` makes its successor, a `repeat` gives the same
 * successor again, a `late-retry` gives it again although the grace is over, and opens the grace
 * anew. All else is `reuse`: two hold the token, and nobody knows which of them is the thief.
 *
 * @see RFC 9700 §4.14.2
 */
export function decideRefresh(shown: Shown): 'rotate' | 'repeat' | 'late-retry' | 'reuse' {
  const { now, graceSeconds, usedAt, repeatableUntil, successorIsUsed, lateRetryAt } = shown
  if (usedAt === null) return 'rotate'
  // Whoever got the successor and used it has no need of this one any more.
  if (graceSeconds === 0 || successorIsUsed) return 'reuse'
  if (repeatableUntil !== null && now <= repeatableUntil) return 'repeat'
  return lateRetryAt === null || now - lateRetryAt >= lateRetryMilliseconds ? 'late-retry' : 'reuse'
}
