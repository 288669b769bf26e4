import type { LimitRate } from '../../feature/limit-rate.ts'

/** One use of a limit. */
export interface Use {
  readonly key: string
  readonly rate: LimitRate
}

/** Uses that were counted. The transaction of what they led to refunds them, or the caller does. */
export interface Spent {
  readonly uses: readonly Use[]
  /** When they were counted. */
  readonly at: number
}

/** So that two who use the same limits do not wait for each other. */
export function inOrder(uses: readonly Use[]): readonly Use[] {
  return uses.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}
