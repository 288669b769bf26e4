// Each web framework has a folder. Its `guard.ts` has the middleware and `mount`, and its
// `routes.ts` tells openapi/ which guards run for a path. These files decide nothing: they read a
// request, ask the core of the guard (guard/guard.ts), and write its answer. What they share is in
// this file, in `routes.ts` and in `mountable.ts`.
//
// - A Fastify app cannot list its routes later, so `fastify/recorded-routes.ts` records them when
//   they are registered.
// - `node/node-answer.ts` writes answers to node:http. It asks an answer with a `stream` for the
//   next piece when the client has room for it.
// - `node/upgrade.ts` guards the upgrade to a WebSocket.
// - `nest/guard.ts` tells how Nest differs.
import type { AlternativeArguments, Demand, DemandArguments } from '../guard/demand.ts'
import { markGuard } from '../guard/guard-mark.ts'
import { requireCaller, type Caller, type Decision, type GuardCore } from '../guard/guard.ts'
import type { TokenType } from '../guard/identity.ts'
import type { HttpRequest } from '../http/message.ts'

/**
 * The guards of an app. `M` is the type of the framework's middleware, `Carrier` the type of the
 * framework's requests, and `R` the type of the argument of `check`. `OptionalM` is the type of the
 * middleware of optional guards, if the type says whether there is a caller.
 */
export interface AssembledGuard<
  S extends string,
  U,
  T extends TokenType,
  M,
  Carrier,
  R,
  OptionalM = M,
> {
  /**
   * Admits a request if the caller has all of these scopes. With `maxAgeSeconds`, the caller must
   * also have logged in recently enough; with `acr`, strongly enough; with `verified`, the caller
   * must also have a verified e-mail address. Refuses all other requests.
   *
   * @throws {TypeError} for a wrong argument
   */
  (...demand: DemandArguments<S>): M
  /**
   * Admits a caller that has one of the given scopes, or all scopes of one of the given lists.
   *
   * @throws {TypeError} for a wrong argument
   */
  anyOf(...alternatives: AlternativeArguments<S>): M
  readonly optional: {
    /** Like `guard(…)`, but admits a request without a credential. Refuses a wrong credential. */
    (...demand: DemandArguments<S>): OptionalM
    check(request: R, ...demand: DemandArguments<S>): Promise<Decision<S, U, undefined, T>>
    /**
     * Returns the caller of an admitted request; `undefined` for a request without a credential.
     *
     * @throws {TypeError} if no guard ran for the request
     */
    caller(carrier: Carrier): Caller<S, U, T> | undefined
  }
  /**
   * Checks a request that has no route, for example a WebSocket upgrade. Takes a request, or an
   * object with a method, a URL and `headers.get`.
   */
  check(request: R, ...demand: DemandArguments<S>): Promise<Decision<S, U, never, T>>
  /**
   * Returns the caller of an admitted request.
   *
   * @throws {TypeError} if no guard ran for the request, or if only an optional guard ran and the
   *   request has no credential
   */
  caller(carrier: Carrier): Caller<S, U, T>
}

/**
 * Builds the guard of a framework from the guard core. All adapters call this function, so that
 * their guards have the same members.
 *
 * @param middleware creates the framework's middleware for a demand
 * @param read converts the argument of `check` to an `HttpRequest`
 */
export function assembleGuard<
  S extends string,
  U,
  T extends TokenType,
  M extends object,
  Carrier extends object,
  R,
>(
  core: GuardCore<S, U, T>,
  middleware: (demand: Demand<S>) => M,
  read: (request: R) => HttpRequest,
): AssembledGuard<S, U, T, M, Carrier, R> {
  // Every middleware carries its demand, so that an OpenAPI document cannot differ from the guard.
  const make = (demand: Demand<S>): M => markGuard(middleware(demand), core, demand)
  const guard = (...args: DemandArguments<S>): M => make(core.demand(args, false))
  const optional = (...args: DemandArguments<S>): M => make(core.demand(args, true))

  return withMembers(guard, {
    anyOf: (...alternatives: AlternativeArguments<S>) => make(core.demandAnyOf(alternatives)),
    optional: withMembers(optional, {
      check: (request: R, ...args: DemandArguments<S>) =>
        core.check(read(request), core.demand(args, true)),
      caller: (carrier: Carrier) => core.callerOf(carrier),
    }),
    check: (request: R, ...args: DemandArguments<S>) =>
      // A guard that is not optional refuses a request without a credential, so the caller is set.
      core.check(read(request), core.demand(args, false)) as Promise<Decision<S, U, never, T>>,
    caller: (carrier: Carrier) => requireCaller(core, carrier),
  })
}

/**
 * Adds members to a function. It defines them instead of assigning them, because every function
 * inherits a property `caller` whose setter throws.
 */
function withMembers<F extends object, M extends object>(target: F, members: M): F & M {
  return Object.defineProperties(target, Object.getOwnPropertyDescriptors(members)) as F & M
}
