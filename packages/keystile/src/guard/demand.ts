import { isJsonObject } from '../base/json.ts'
import { requireKnownOptions } from '../base/options.ts'

/** At least one set of scopes: all of any one of them suffice. `[[]]` demands none. */
type Alternatives<S extends string> = readonly [readonly S[], ...(readonly S[])[]]

/** What a route demands of its caller. */
export interface Demand<S extends string = string> {
  readonly alternatives: Alternatives<S>
  /** Seconds since the person proved who they are, at most (RFC 9470). */
  readonly maxAgeSeconds: number | undefined
  /** Lets a request without a credential pass, and no other that would be refused. */
  readonly optional: boolean
}

/**
 * What a guard is called with: scopes, or an object where there is more to demand. Not readonly:
 * `Parameters<typeof guard>` would be `never`.
 */
export type DemandArguments<S extends string> =
  | S[]
  | [
      {
        /** All of these. */
        readonly scopes?: readonly S[]
        /**
         * The person has proved who they are at most so many seconds ago; older tokens get 401 (RFC
         * 9470).
         */
        readonly maxAgeSeconds?: number
      },
    ]

/**
 * What `guard.anyOf` is called with: scopes of which one suffices, or lists of which all of one
 * suffice.
 */
export type AlternativeArguments<S extends string> = (S | readonly S[])[]

/**
 * @throws {TypeError} for what is no demand, and for a scope that is not among the declared ones
 */
export function readDemand<S extends string>(
  args: DemandArguments<S>,
  { optional, declared }: { readonly optional: boolean; readonly declared: object | undefined },
): Demand<S> {
  const [first] = args
  const { scopes = [], maxAgeSeconds } =
    isJsonObject(first) && args.length === 1
      ? requireDemanding(first)
      : { scopes: args as readonly S[] }
  if (!Array.isArray(scopes))
    throw new TypeError('a guard takes scopes, or { scopes, maxAgeSeconds }')
  requireAge(maxAgeSeconds)
  requireDeclared(scopes, declared)
  return { alternatives: [Object.freeze([...scopes])], maxAgeSeconds, optional }
}

/**
 * Refuses an object that demands nothing. `guard({ scopes: config.adminScopes })` without such a
 * member would let every logged-in person in, and so would a name that is misspelt. `guard()` says
 * that on purpose.
 *
 * @throws {TypeError}
 */
function requireDemanding<
  D extends { readonly scopes?: readonly unknown[]; readonly maxAgeSeconds?: number },
>(demand: D): D {
  requireKnownOptions('a guard', demand, ['scopes', 'maxAgeSeconds'])
  if (Object.keys(demand).length > 0 && demand.scopes?.length !== 0) return demand
  throw new TypeError(
    'a guard takes at least one scope in { scopes }: leave `scopes` out to let in every caller with a token',
  )
}

/**
 * @throws {TypeError} when there is nothing to choose from, and for a scope that is not among the
 *   declared ones
 */
export function readAlternatives<S extends string>(
  args: AlternativeArguments<S>,
  declared: object | undefined,
): Demand<S> {
  const [first, ...others] = args.map((alternative) => readAlternative(alternative, declared))
  if (!first) throw wrongAlternative()
  return { alternatives: [first, ...others], maxAgeSeconds: undefined, optional: false }
}

/** Copies an alternative: a list that the app empties later must not disarm the guard. */
function readAlternative<S extends string>(
  alternative: S | readonly S[],
  declared: object | undefined,
): readonly S[] {
  const scopes = typeof alternative === 'string' ? [alternative] : alternative
  // Every caller would meet an empty alternative, and it would hide the others.
  if (!Array.isArray(scopes) || scopes.length === 0) throw wrongAlternative()
  requireDeclared(scopes, declared)
  return Object.freeze([...scopes])
}

function wrongAlternative(): TypeError {
  return new TypeError('guard.anyOf takes scopes, or lists of scopes with at least one each')
}

/**
 * Joins what two guards demand of the same request, such as those of a router and of a route in it.
 * A credential may be missing only if both are optional.
 */
export function joinDemands<S extends string>(outer: Demand<S>, inner: Demand<S>): Demand<S> {
  const ages = [outer.maxAgeSeconds, inner.maxAgeSeconds].filter((age) => age !== undefined)
  return {
    alternatives: joinAlternatives(outer.alternatives, inner.alternatives),
    maxAgeSeconds: ages.length > 0 ? Math.min(...ages) : undefined,
    optional: outer.optional && inner.optional,
  }
}

/**
 * Joins each outer alternative with each inner one, without those that include another: a caller
 * who meets them meets that one. So a demand joined with itself is itself, however often the same
 * request passes the same guard.
 */
function joinAlternatives<S extends string>(
  outer: Alternatives<S>,
  inner: Alternatives<S>,
): Alternatives<S> {
  const union = (left: readonly S[], right: readonly S[]): readonly S[] => [
    ...new Set([...left, ...right]),
  ]
  const joined = outer.flatMap((left) => inner.map((right) => union(left, right)))
  // Stryker disable next-line ArrayDeclaration: `joined` begins with the same; this has the type
  return joined.reduce<Alternatives<S>>(addAlternative, [union(outer[0], inner[0])])
}

function addAlternative<S extends string>(
  kept: Alternatives<S>,
  added: readonly S[],
): Alternatives<S> {
  if (kept.some((one) => includesAll(added, one))) return kept
  const [first, ...others] = kept.filter((one) => !includesAll(one, added))
  return first ? [first, ...others, added] : [added]
}

export function isMetBy<S extends string>(
  { alternatives }: Demand<S>,
  held: readonly string[],
): boolean {
  return alternatives.some((scopes) => includesAll(held, scopes))
}

function includesAll(held: readonly string[], scopes: readonly string[]): boolean {
  for (const scope of scopes) if (!held.includes(scope)) return false
  return true
}

/** @throws {TypeError} for what is no age: the text '300' and 5 more seconds would be 3,005 */
export function requireAge(maxAgeSeconds: number | undefined): void {
  if (maxAgeSeconds === undefined || (Number.isFinite(maxAgeSeconds) && maxAgeSeconds > 0)) return
  throw new TypeError('`maxAgeSeconds` must be a number above 0')
}

function requireDeclared(scopes: readonly unknown[], declared: object | undefined): void {
  for (const scope of scopes) {
    if (typeof scope !== 'string') throw new TypeError('a guard takes scopes, as strings')
    if (declared && !Object.hasOwn(declared, scope)) {
      throw new TypeError(
        `the scope "${scope}" is not declared; declared are: ${Object.keys(declared).join(', ')}`,
      )
    }
  }
}
