import type { AlternativeArguments, Demand, DemandArguments } from '../guard/demand.ts'
import { requireCaller, type Caller, type Decision, type GuardCore } from '../guard/guard.ts'
import { markGuard } from '../guard/guard-mark.ts'
import type { HttpRequest } from '../http/message.ts'

/**
 * The parts of a guard that are alike in every framework.
 *
 * @param middleware makes the framework's own middleware out of a demand
 * @param read the framework's request in our words, for `check`
 */
export function assembleGuard<S extends string, U, M extends object, Carrier extends object, R>(
  core: GuardCore<S, U>,
  middleware: (demand: Demand<S>) => M,
  read: (request: R) => HttpRequest,
): AssembledGuard<S, U, M, Carrier, R> {
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
      // Without a credential, what is not optional is refused.
      core.check(read(request), core.demand(args, false)) as Promise<Decision<S, U>>,
    caller: (carrier: Carrier) => requireCaller(core, carrier),
  })
}

/**
 * The guards of an app. `M`: the framework's middleware, `Carrier`: its request, `R`: what `check`
 * takes.
 */
export interface AssembledGuard<S extends string, U, M, Carrier, R> {
  /**
   * Lets in whoever has all these scopes, and logged in lately where that is demanded. @throws
   * {TypeError} for a wrong demand
   */
  (...demand: DemandArguments<S>): M
  /**
   * Lets in whoever has one of these scopes, or all of one of these lists. @throws {TypeError} for
   * a wrong demand
   */
  anyOf(...alternatives: AlternativeArguments<S>): M
  readonly optional: {
    /**
     * Lets in requests without a credential as well. A credential that is wrong is still refused.
     */
    (...demand: DemandArguments<S>): M
    check(request: R, ...demand: DemandArguments<S>): Promise<Decision<S, U, undefined>>
    /** @throws {TypeError} where no guard ran */
    caller(carrier: Carrier): Caller<S, U> | undefined
  }
  /**
   * Decides without a route: for an upgrade to a WebSocket, say. Takes a request or anything with
   * `headers.get`.
   */
  check(request: R, ...demand: DemandArguments<S>): Promise<Decision<S, U>>
  /** @throws {TypeError} where no guard ran */
  caller(carrier: Carrier): Caller<S, U>
}

/**
 * A function with members. They are defined, not assigned: every function inherits a `caller` whose
 * setter throws.
 */
function withMembers<F extends object, M extends object>(target: F, members: M): F & M {
  return Object.defineProperties(target, Object.getOwnPropertyDescriptors(members)) as F & M
}
