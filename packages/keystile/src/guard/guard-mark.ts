import type { Demand } from './demand.ts'

/**
 * The demand of a guard, attached to the guard's middleware function. `secure()` and `describe()`
 * read this mark, so an OpenAPI document says exactly what the guard enforces.
 */
export interface GuardMark {
  readonly issuer: string
  readonly scopes: Readonly<Record<string, string>> | undefined
  readonly demand: Demand
}

// A global symbol, so that a second copy of this package in the same program finds the mark too.
const mark: unique symbol = Symbol.for('keystile.guard')

export function markGuard<M extends object>(
  middleware: M,
  { issuer, scopes }: Omit<GuardMark, 'demand'>,
  demand: Demand,
): M {
  const value: GuardMark = { issuer, scopes, demand }
  return Object.defineProperty(middleware, mark, { value })
}

export function findGuardMark(middleware: unknown): GuardMark | undefined {
  return (middleware as { readonly [mark]?: GuardMark } | null | undefined)?.[mark]
}
