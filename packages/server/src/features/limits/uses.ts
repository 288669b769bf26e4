import type { Rate } from './gcra.ts'

/** One use of a limit. */
export interface Use {
  readonly key: string
  readonly rate: LimitRate
}

export interface LimitRate extends Rate {
  /**
   * Whether uses that turn out to be none leave nothing behind, however many are under way. Then as many more may be saved up.
   * Otherwise what time gave back meanwhile is not given back again, so that there is never more than the limit has.
   */
  readonly isGivenBackWhole?: boolean
}

/** Uses that may turn out to be none. */
export interface Spent {
  readonly uses: readonly Use[]
  /** When they were counted. */
  readonly at: number
}

/** So that two who use the same limits do not wait for each other. */
export function inOrder(uses: readonly Use[]): readonly Use[] {
  return uses.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}
