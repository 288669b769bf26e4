// Decides when signing keys are replaced. A key is first the next key: it is published, and does
// not sign yet. Then it is the current key, which signs. Then it is a previous key: it is still
// published, because its last tokens are still valid. Then it is deleted.

import type { SigningTimes } from './tables.ts'

/** The lengths of the parts of a key's life, in milliseconds. */
export interface RotationTimes {
  /**
   * How long a key is published before it signs. This is longer than a verifier can keep published
   * keys (`maxAgeSecondsOf` in key-ring.ts). So it has the key when its first token arrives.
   */
  readonly lead: number
  /** How long a key signs before its successor takes over. */
  readonly period: number
  /**
   * How long a key stays published after its last token has expired. Verifiers accept a token for
   * up to 60 s after its expiry, and the clocks of two processes may differ by 5 s.
   */
  readonly margin: number
}

const minute = 60_000
const day = 24 * 60 * minute

export const defaultTimes: RotationTimes = { lead: 60 * minute, period: 30 * day, margin: 70_000 }

export type KeyState = 'next' | 'current' | 'previous'

export interface Wanted {
  /** The algorithm that new keys have. A current key with another algorithm is replaced. */
  readonly algorithm: string
  /** The longest lifetime of an access token that any process was configured with. */
  readonly longestTokenSeconds: number
  /** Whether to publish a next key now, even if the current key is not due for replacement. */
  readonly isForced?: boolean
}

export interface Plan {
  /** When a new key is to sign, in milliseconds. Undefined if no new key is due. */
  readonly newSignsFrom: number | undefined
  /** The ids of the keys whose tokens have all expired. */
  readonly gone: readonly string[]
}

/**
 * Returns the key that signs now. If several keys may sign now, returns the one that began to sign
 * last. If no key may sign yet, returns the one that will begin first. That happens only after a
 * revocation: another process made the next key sign at once, and its clock is ahead of the clock
 * of this process.
 */
export function findCurrent<Key extends SigningTimes>(
  keys: readonly Key[],
  now: number,
): Key | undefined {
  const begun = keys.filter((key) => key.signs_from <= now && !hasEnded(key, now))
  if (begun.length > 0) return begun.reduce((a, b) => (b.signs_from > a.signs_from ? b : a))
  const next = listNext(keys, now)
  return next.length > 0 ? next.reduce((a, b) => (b.signs_from < a.signs_from ? b : a)) : undefined
}

export function stateOf(key: SigningTimes, keys: readonly SigningTimes[], now: number): KeyState {
  if (findCurrent(keys, now)?.id === key.id) return 'current'
  return key.signs_from > now ? 'next' : 'previous'
}

/**
 * Decides whether a new key is due, and which keys can be deleted. Changes nothing. A process calls
 * it first to learn whether it must write. Then the transaction locks the keys and calls it again.
 *
 * A new key begins to sign after one `lead`, even if the current key is overdue because no process
 * ran. While there is a next key, no other key is made.
 */
export function plan(
  keys: readonly SigningTimes[],
  now: number,
  wanted: Wanted,
  times: RotationTimes,
): Plan {
  const gone = keys.filter((key) => isGone(key, now, wanted, times)).map(({ id }) => id)
  const current = findCurrent(keys, now)
  if (!current) return { newSignsFrom: now, gone }

  const dueAt = nextKeyDueAt(keys, now, times)
  const isWanted = wanted.isForced === true || current.algorithm !== wanted.algorithm
  const isDue = dueAt !== undefined && (isWanted || dueAt <= now)
  return { newSignsFrom: isDue ? now + times.lead : undefined, gone }
}

/**
 * Returns the time at which the next key must be made and published. Undefined if there already is
 * a next key, or if no key signs.
 */
export function nextKeyDueAt(
  keys: readonly SigningTimes[],
  now: number,
  { period, lead }: RotationTimes,
): number | undefined {
  const current = findCurrent(keys, now)
  if (!current || listNext(keys, now).length > 0) return undefined
  return current.signs_from + period - lead
}

/** Returns the keys that do not sign yet. */
export function listNext<Key extends SigningTimes>(
  keys: readonly Key[],
  now: number,
): readonly Key[] {
  return keys.filter((key) => key.signs_from > now)
}

function hasEnded({ signs_until }: SigningTimes, now: number): boolean {
  return signs_until !== null && signs_until <= now
}

/** Whether all tokens of a key have expired. */
function isGone(
  { signs_until }: SigningTimes,
  now: number,
  { longestTokenSeconds }: Wanted,
  { margin }: RotationTimes,
): boolean {
  return signs_until !== null && signs_until + longestTokenSeconds * 1000 + margin <= now
}
