import type { Demand } from './demand.ts'

/** What a middleware of ours says of itself, so that documentation can be derived from what is enforced. */
export interface GuardMark {
  readonly issuer: string
  readonly scopes: Readonly<Record<string, string>> | undefined
  readonly demand: Demand
}

// Global, so that a second copy of this package in the same program finds it as well.
const mark: unique symbol = Symbol.for('keystile.guard') as never

export function markGuard<M extends object>(
  middleware: M,
  { issuer, scopes }: Omit<GuardMark, 'demand'>,
  demand: Demand,
): M {
  const value: GuardMark = { issuer, scopes, demand }
  return Object.defineProperty(middleware, mark, { value })
}

/** The mark of a middleware of ours; `undefined` for any other. */
export function findGuardMark(middleware: unknown): GuardMark | undefined {
  return (middleware as { readonly [mark]?: GuardMark } | null | undefined)?.[mark]
}
