/**
 * A session accepts at most one late retry within this time. In a late retry, a client presents a
 * used token after the grace period, because the answer to the first use was lost. More late
 * retries would let an attacker use a copied token again and again.
 */
const lateRetryMilliseconds = 24 * 60 * 60 * 1000

/**
 * What the decision about a presented refresh token depends on. Its state is read while its session
 * is locked, and its secret was right.
 */
export interface PresentedToken {
  readonly now: number
  /** The grace period of a used token. With 0, each token works only once. */
  readonly graceSeconds: number
  readonly usedAt: number | null
  /** The end of the grace period. Until then, the token may be presented again. */
  readonly repeatableUntil: number | null
  readonly successorIsUsed: boolean
  /** When the session last accepted a late retry; null if there was no late retry. */
  readonly lateRetryAt: number | null
}

/**
 * Decides what a refresh token gets:
 *
 * * `rotate`: the first use makes a successor.
 * * `repeat`: within the grace period, the token returns the same successor.
 * * `late-retry`: after the grace period, the token returns the same successor once and starts a
 *   new grace period.
 * * `reuse`: the session of the token ends. Two callers hold the token, and the server cannot know
 *   which of them is the attacker.
 *
 * @see RFC 9700 §4.14.2
 */
export function decideRefresh(token: PresentedToken): 'rotate' | 'repeat' | 'late-retry' | 'reuse' {
  const { now, graceSeconds, usedAt, repeatableUntil, successorIsUsed, lateRetryAt } = token
  if (usedAt === null) return 'rotate'
  // Without a grace period, each token works only once. And a client that has used the successor no
  // longer needs this token, so the caller must hold a copy.
  if (graceSeconds === 0 || successorIsUsed) return 'reuse'
  if (now <= (repeatableUntil ?? -Infinity)) return 'repeat'
  return now - (lateRetryAt ?? -Infinity) >= lateRetryMilliseconds ? 'late-retry' : 'reuse'
}
