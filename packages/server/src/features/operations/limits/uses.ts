import { createHash } from 'node:crypto'
import { networkOf, siteOf } from '../../../base/network.ts'
import type { LimitRate } from '../../../feature/limit-rate.ts'

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
 * How many times the limit of one network applies to an IPv6 /48. Many customers may share a /48,
 * but one customer may have all of it.
 */
const siteFactor = 4

/**
 * Returns the uses of a limit for an IP address: one for its network, and for an IPv6 address also
 * one for its /48, with four times the limit. So an attacker who has a whole /48 gets only as much
 * as four networks.
 */
export function usesAt(rate: LimitRate, address: string): readonly Use[] {
  const site = siteOf(address)
  const ofNetwork = useOf(rate, networkOf(address))
  return site === undefined ? [ofNetwork] : [ofNetwork, useOf(ofSite(rate), site)]
}

function ofSite(rate: LimitRate): LimitRate {
  return {
    ...rate,
    burst: rate.burst * siteFactor,
    intervalMilliseconds: rate.intervalMilliseconds / siteFactor,
  }
}

/**
 * Sorts uses by key, so that all transactions lock limits in the same order and cannot deadlock.
 */
export function sortByKey(uses: readonly Use[]): readonly Use[] {
  return uses.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}
