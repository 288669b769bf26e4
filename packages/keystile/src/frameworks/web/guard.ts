import type { AlternativeArguments, Demand, DemandArguments } from '../../guard/demand.ts'
import {
  createGuardCore,
  type Caller,
  type Decision,
  type GuardOptions,
} from '../../guard/guard.ts'
import type { UserObject } from '../../guard/user.ts'
import { toResponse, type HttpRequest } from '../../http/message.ts'
import { assembleGuard } from '../assemble-guard.ts'
import type { Mountable } from '../mountable.ts'
import { readWebRequest } from './web-request.ts'

/**
 * Wraps a handler in a guard and passes it the caller. The frameworks with such handlers (Next.js,
 * SvelteKit, React Router) have no middleware that could hold a guard. Other arguments of the
 * framework are passed on.
 */
export type WebGuard<C> = <Rest extends readonly unknown[]>(
  handler: (request: Request, caller: C, ...rest: Rest) => Response | Promise<Response>,
) => (request: Request, ...rest: Rest) => Promise<Response>

/** Guards of handlers over a web `Request`, which many frameworks have. */
export interface Guard<S extends string, U> {
  /**
   * Lets in whoever has all these scopes, and logged in lately where that is demanded. @throws
   * {TypeError} for a wrong demand
   */
  (...demand: DemandArguments<S>): WebGuard<Caller<S, U>>
  /**
   * Lets in whoever has one of these scopes, or all of one of these lists. @throws {TypeError} for
   * a wrong demand
   */
  anyOf(...alternatives: AlternativeArguments<S>): WebGuard<Caller<S, U>>
  readonly optional: {
    /**
     * Lets in requests without a credential as well. A credential that is wrong is still refused.
     */
    (...demand: DemandArguments<S>): WebGuard<Caller<S, U> | undefined>
    check(request: HttpRequest, ...demand: DemandArguments<S>): Promise<Decision<S, U, undefined>>
    /** @throws {TypeError} where no guard ran */
    caller(request: Request): Caller<S, U> | undefined
  }
  /** Decides without a handler; `decision.answer` says in plain values what to answer. */
  check(request: HttpRequest, ...demand: DemandArguments<S>): Promise<Decision<S, U>>
  /** @throws {TypeError} where no guard ran */
  caller(request: Request): Caller<S, U>
}

/** Makes the guards of an app from a verifier, or from the object of `createKeystile`. */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
>(options: GuardOptions<S, U>): Guard<S, U> {
  const core = createGuardCore(options)
  const assembled = assembleGuard(
    core,
    (demand: Demand<S>): WebGuard<Caller<S, U> | undefined> =>
      (handler) =>
      async (request, ...rest) => {
        const known = core.enterAtOnce(request, request, demand)
        if (known) return handler(request, known, ...rest)
        const decision = await core.enter(request, request, demand)
        return decision.allowed
          ? handler(request, decision.caller, ...rest)
          : toResponse(decision.answer)
      },
    (request: HttpRequest) => request,
  )
  // Without a credential, what is not optional is refused: there is a caller.
  return assembled as unknown as Guard<S, U>
}

/**
 * Answers Keystile's own endpoints: `await mount(keystile)(request)`, and `undefined` for every
 * other request.
 */
export function mount(keystile: Mountable): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    const answer = await keystile.answer(readWebRequest(request))
    return answer && toResponse(answer)
  }
}
