// A demand is what a guard requires: scopes, the maximum age and the `acr` of the login, a verified
// e-mail address. The guard's arguments become a demand here.
import { isJsonObject } from '../base/json.ts'
import { kindOf, requireKnownOptions } from '../base/options.ts'
import { joinAcr, readAcr, requireAge } from './login-demand.ts'

/**
 * At least one list of scopes. A caller must have every scope of at least one list. `[[]]` demands
 * no scope.
 */
type Alternatives<S extends string> = readonly [readonly S[], ...(readonly S[])[]]

export interface Demand<S extends string = string> {
  readonly alternatives: Alternatives<S>
  /** The maximum age of the login, in seconds (RFC 9470). */
  readonly maxAgeSeconds: number | undefined
  /** The accepted values of `acr`, in order of preference (RFC 9470). */
  readonly acr: readonly string[] | undefined
  /** Whether the user must have a verified e-mail address: `emailVerified: true`. */
  readonly verified: boolean
  /** Whether to admit a request without a credential. A wrong credential is always refused. */
  readonly optional: boolean
}

/** What `guard({ … })` demands. */
type DemandObject<S extends string> = {
  /** The caller must have all of these scopes. */
  readonly scopes?: readonly S[]
  /**
   * The maximum number of seconds since the user logged in. If the login is older, the guard
   * answers 401 (RFC 9470).
   */
  readonly maxAgeSeconds?: number
  /**
   * How the user must have logged in: one value of the claim `acr`, or several accepted values in
   * order of preference. Any other login gets 401 (RFC 9470). Keystile's values are `pwd` and
   * `mfa`, which includes `pwd`. With `tokenType: 'JWT'`, the values are those of the issuer,
   * compared exactly.
   */
  readonly acr?: string | readonly string[]
  /**
   * The user must have `emailVerified: true`. Otherwise the guard answers 403
   * `email_not_verified`. Works only if `createGuard` gets the option `user`. The object of
   * `createKeystile` contains this option.
   */
  readonly verified?: true
}

/**
 * The arguments of `guard(…)`: scopes, or one object with any of `scopes`, `maxAgeSeconds`, `acr`
 * and `verified`. The array is mutable: with a readonly array, `Parameters<typeof guard>` would be
 * `never`.
 */
export type DemandArguments<S extends string> = S[] | [DemandObject<S>]

/**
 * The arguments of `guard.anyOf(…)`: scopes and lists of scopes. The caller must have one of the
 * scopes, or every scope of one of the lists.
 */
export type AlternativeArguments<S extends string> = (S | readonly S[])[]

/**
 * Reads the arguments of `guard(…)` and `guard.optional(…)`.
 *
 * @param options.hasUsers whether the guard can load users, which `verified` needs
 * @throws {TypeError} for wrong arguments, for a scope that is not declared, and for `verified`
 *   if the guard cannot load users
 */
export function readDemand<S extends string>(
  args: DemandArguments<S>,
  options: {
    readonly optional: boolean
    readonly declared: object | undefined
    readonly hasUsers: boolean
  },
): Demand<S> {
  const { scopes = [], maxAgeSeconds, acr, verified } = demandObjectOf(args)
  if (!Array.isArray(scopes)) {
    throw new TypeError(
      'the arguments of a guard must be scopes, or { scopes, maxAgeSeconds, acr, verified }',
    )
  }
  requireAge(maxAgeSeconds)
  if (verified !== undefined) requireVerifiable(verified, options.hasUsers)
  requireDeclared(scopes, options.declared)

  return {
    alternatives: [Object.freeze([...scopes])],
    maxAgeSeconds,
    acr: readAcr(acr),
    verified: verified !== undefined,
    optional: options.optional,
  }
}

/**
 * Returns the arguments of a guard as one object.
 *
 * Refuses an object that demands nothing, because it is probably a mistake. Without this check,
 * `guard({ scopes: config.adminScopes })` would admit every user if `config.adminScopes` is
 * undefined or the name `scopes` is misspelt. To admit every user, an app calls `guard()`.
 *
 * @throws {TypeError} if the object is empty, has an unknown member, or has empty `scopes`
 */
function demandObjectOf<S extends string>(args: DemandArguments<S>): DemandObject<S> {
  const [first] = args
  if (!isJsonObject(first) || args.length !== 1) return { scopes: args as readonly S[] }

  requireKnownOptions('a guard', first, ['scopes', 'maxAgeSeconds', 'acr', 'verified'])
  if (Object.keys(first).length > 0 && first.scopes?.length !== 0) return first
  throw new TypeError(
    'a guard must get at least one scope in { scopes }. ' +
      'Fix: to admit every caller with a token, call guard() or leave `scopes` out',
  )
}

/**
 * Checks the option `verified`: it must be `true`, and the guard must have a function `user`.
 * Refuses `false`, because a reader of the route could believe that `verified: false` demands
 * something.
 *
 * @throws {TypeError} for any value but `true`, and for a guard without the function `user`
 */
function requireVerifiable(verified: unknown, hasUsers: boolean): void {
  if (verified !== true) {
    throw new TypeError(
      `\`verified\` must be true; it is ${verified === false ? 'false' : kindOf(verified)}. ` +
        'Fix: to admit users without a verified e-mail address, leave `verified` out',
    )
  }
  if (!hasUsers) {
    throw new TypeError(
      'a guard with `verified` must know the users. Fix: pass `user` to createGuard, or the ' +
        'object from createKeystile()',
    )
  }
}

/**
 * Reads the arguments of `guard.anyOf(…)`.
 *
 * @throws {TypeError} if there is no argument or an empty list, and for a scope that is not
 *   declared
 */
export function readAlternatives<S extends string>(
  args: AlternativeArguments<S>,
  declared: object | undefined,
): Demand<S> {
  const [first, ...others] = args.map((alternative) => readAlternative(alternative, declared))
  if (!first) throw wrongAlternative()
  return {
    alternatives: [first, ...others],
    maxAgeSeconds: undefined,
    acr: undefined,
    verified: false,
    optional: false,
  }
}

/**
 * Copies an alternative. If the app later empties its own list, the guard still demands the scopes.
 */
function readAlternative<S extends string>(
  alternative: S | readonly S[],
  declared: object | undefined,
): readonly S[] {
  const scopes = typeof alternative === 'string' ? [alternative] : alternative

  // An empty list demands no scope, so it would admit every caller and make the other alternatives
  // useless.
  if (!Array.isArray(scopes) || scopes.length === 0) throw wrongAlternative()

  requireDeclared(scopes, declared)
  return Object.freeze([...scopes])
}

function wrongAlternative(): TypeError {
  return new TypeError(
    'guard.anyOf() must get at least one scope or list of scopes, and no list may be empty',
  )
}

/**
 * Joins the demands of two guards for the same request, such as the guard of a router and the guard
 * of a route in it. The credential is optional only if both demands make it optional.
 *
 * @throws {TypeError} if no value of `acr` satisfies both demands
 */
export function joinDemands<S extends string>(outer: Demand<S>, inner: Demand<S>): Demand<S> {
  const ages = [outer.maxAgeSeconds, inner.maxAgeSeconds].filter((age) => age !== undefined)
  return {
    alternatives: joinAlternatives(outer.alternatives, inner.alternatives),
    maxAgeSeconds: ages.length > 0 ? Math.min(...ages) : undefined,
    acr: joinAcr(outer.acr, inner.acr),
    verified: outer.verified || inner.verified,
    optional: outer.optional && inner.optional,
  }
}

/**
 * Joins each list of scopes in `outer` with each list in `inner`. Drops a joined list that contains
 * all scopes of another joined list, because such a list admits no additional caller. A demand
 * joined with itself therefore stays unchanged: it does not grow when a request passes the same
 * guard many times.
 */
function joinAlternatives<S extends string>(
  outer: Alternatives<S>,
  inner: Alternatives<S>,
): Alternatives<S> {
  const union = (left: readonly S[], right: readonly S[]): readonly S[] => [
    ...new Set([...left, ...right]),
  ]
  const joined = outer.flatMap((left) => inner.map((right) => union(left, right)))
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

/** Whether the caller's scopes, `held`, contain every scope of at least one alternative. */
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

/**
 * Checks the scopes in the arguments of a guard.
 *
 * @throws {TypeError} for a scope that is not a string, or is not declared
 */
function requireDeclared(scopes: readonly unknown[], declared: object | undefined): void {
  for (const scope of scopes) {
    if (typeof scope !== 'string') {
      throw new TypeError('each scope of a guard must be a string')
    }
    if (declared && !Object.hasOwn(declared, scope)) {
      const names = Object.keys(declared).join(', ')
      throw new TypeError(`the scope "${scope}" is not declared; declared scopes: ${names}`)
    }
  }
}
