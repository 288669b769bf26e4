import type { LimitRate } from '../../feature/limit-rate.ts'

/** One use of a limit, identified by its hashed key. */
export interface Use {
  readonly key: string
  readonly rate: LimitRate
}

/**
 * Uses that were counted. A successful attempt refunds them in its own transaction. Otherwise the
 * caller of `count` may refund them.
 */
export interface Spent {
  readonly uses: readonly Use[]
  /** When they were counted. */
  readonly at: number
}

/** Sorts uses by key. Transactions that lock the same limits in the same order cannot deadlock. */
export function sortByKey(uses: readonly Use[]): readonly Use[] {
  return uses.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}
