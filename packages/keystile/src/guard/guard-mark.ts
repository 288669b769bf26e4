import type { Demand } from './demand.ts'

/** What a guard's middleware demands, so that the documentation follows from what is enforced. */
export interface GuardMark {
  readonly issuer: string
  readonly scopes: Readonly<Record<string, string>> | undefined
  readonly demand: Demand
}

// Global, so that a second copy of this package in the same program finds it too.
const mark: unique symbol = Symbol.for('keystile.guard')

export function markGuard<M extends object>(
  middleware: M,
  { issuer, scopes }: Omit<GuardMark, 'demand'>,
  demand: Demand,
): M {
  const value: GuardMark = { issuer, scopes, demand }
  return Object.defineProperty(middleware, mark, { value })
}

/** Finds the mark of a guard's middleware; `undefined` for any other function. */
export function findGuardMark(middleware: unknown): GuardMark | undefined {
  return (middleware as { readonly [mark]?: GuardMark } | null | undefined)?.[mark]
}
