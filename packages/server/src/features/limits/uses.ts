import { createHash } from 'node:crypto'
import type { LimitRate } from '../../feature/limit-rate.ts'

/**
 * One use of a rate limit. `key` is a hash of the limit's name and of what the limit counts, such
 * as a user name or an IP address.
 */
export interface Use {
  readonly key: string
  readonly rate: LimitRate
}

/**
 * The uses that one attempt has counted. The transaction of a successful attempt refunds them. The
 * caller of `count()` may also refund them if the attempt was not a guess.
 */
export interface Spent {
  readonly uses: readonly Use[]
  /** When the uses were counted, in milliseconds. */
  readonly at: number
}

/**
 * Returns one use of a limit. Hashes the key, because the user may have typed a password into the
 * field for the user name.
 */
export function useOf(rate: LimitRate, key: string): Use {
  return { key: createHash('sha256').update(`${rate.name}\n${key}`).digest('base64url'), rate }
}

/**
 * Sorts uses by key, so that all transactions lock limits in the same order and cannot deadlock.
 */
export function sortByKey(uses: readonly Use[]): readonly Use[] {
  return uses.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}
