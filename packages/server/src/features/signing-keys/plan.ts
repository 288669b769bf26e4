// Decides when signing keys are replaced. A key is first the next key: it is published, and does
// not sign yet. Then it is the current key, which signs. Then it is a previous key: it is still
// published, because its last tokens are still valid. Then it is deleted.

import type { SigningTimes } from './tables.ts'

/** The lengths of the parts of a key's life, in milliseconds. */
export interface RotationTimes {
  /**
   * How long a key is published before it signs. Verifiers may cache the published keys for at most
   * this long. So they have the key when its first token arrives.
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

/** What a process wants of the keys. */
export interface Wanted {
  /** The algorithm that new keys have. A current key with another algorithm is replaced. */
  readonly algorithm: string
  /** The longest lifetime of an access token that any process was configured with. */
  readonly longestTokenSeconds: number
  /** Whether to publish a next key, even if the current key is not old. */
  readonly isForced?: boolean
}

/** The changes that are due. */
export interface Plan {
  /** When a new key is to sign, in milliseconds. Undefined if no new key is due. */
  readonly newSignsFrom: number | undefined
  /** The ids of the keys whose tokens have all expired. */
  readonly gone: readonly string[]
}

/**
 * Returns the key that signs now: of the keys whose time it is, the one that began last. If there
 * is none, returns the key that begins first. This happens only after a revocation, while the clock
 * of this process is behind the clock of the process that made the next key current.
 */
export function findCurrent<Key extends SigningTimes>(
  keys: readonly Key[],
  now: number,
): Key | undefined {
  const begun = keys.filter((key) => key.signs_from <= now && !hasEnded(key, now))
  // Stryker disable next-line EqualityOperator: no two keys begin at the same time
  if (begun.length > 0) return begun.reduce((a, b) => (b.signs_from > a.signs_from ? b : a))
  const next = listNext(keys, now)
  // Stryker disable next-line EqualityOperator: no two keys begin at the same time
  return next.length > 0 ? next.reduce((a, b) => (b.signs_from < a.signs_from ? b : a)) : undefined
}

/** Returns the state of a key of the list. */
export function stateOf(key: SigningTimes, keys: readonly SigningTimes[], now: number): KeyState {
  if (findCurrent(keys, now)?.id === key.id) return 'current'
  // Stryker disable next-line EqualityOperator: a key that begins now is the current one
  return key.signs_from > now ? 'next' : 'previous'
}

/**
 * Decides what is due. It has no effects, so a process calls it to learn whether it must write, and
 * the transaction calls it again with the keys that it has locked.
 *
 * A new key signs one lead after now, also if the current key is overdue because no process ran.
 * While there is a next key, no other key is made.
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

/** Returns when a next key is due by its time. Undefined while there is one, or without keys. */
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
