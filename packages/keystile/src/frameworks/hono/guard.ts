import type { Context, MiddlewareHandler, Next } from 'hono'
import type { AlternativeArguments, Demand, DemandArguments } from '../../guard/demand.ts'
import {
  createGuardCore,
  type Caller,
  type Decision,
  type GuardOptions,
} from '../../guard/guard.ts'
import type { UserObject } from '../../guard/user.ts'
import type { Identity } from '../../guard/identity.ts'
import { toResponse, type HttpRequest } from '../../http/message.ts'
import { assembleGuard } from '../assemble-guard.ts'
import type { Mountable } from '../mountable.ts'
import { readWebRequest } from '../web/web-request.ts'

/**
 * Guards of Hono routes. In a chain `c.var.identity` and `c.var.user` are typed; elsewhere ask
 * `guard.caller(c)`.
 */
export interface Guard<S extends string, U> {
  /**
   * Lets in whoever has all these scopes, and logged in lately where that is demanded. @throws
   * {TypeError} for a wrong demand
   */
  (...demand: DemandArguments<S>): HonoMiddleware<Identity<S>, U>
  /**
   * Lets in whoever has one of these scopes, or all of one of these lists. @throws {TypeError} for
   * a wrong demand
   */
  anyOf(...alternatives: AlternativeArguments<S>): HonoMiddleware<Identity<S>, U>
  readonly optional: {
    /**
     * Lets in requests without a credential as well. A credential that is wrong is still refused.
     */
    (...demand: DemandArguments<S>): HonoMiddleware<Identity<S> | undefined, U | undefined>
    check(request: HttpRequest, ...demand: DemandArguments<S>): Promise<Decision<S, U, undefined>>
    /** @throws {TypeError} where no guard ran */
    caller(c: Context): Caller<S, U> | undefined
  }
  /**
   * Decides without a route: for WebSockets, GraphQL, anything with a method, a URL and headers.
   */
  check(request: HttpRequest, ...demand: DemandArguments<S>): Promise<Decision<S, U>>
  /** @throws {TypeError} where no guard ran */
  caller(c: Context): Caller<S, U>
}

export type HonoMiddleware<I, U> = MiddlewareHandler<{ Variables: { identity: I; user: U } }>

/** Makes the guards of an app from a verifier, or from the object of `createKeystile`. */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
>(options: GuardOptions<S, U>): Guard<S, U> {
  const core = createGuardCore(options)
  const goOn = (c: Context, next: Next, caller: Caller<S, U> | undefined): Promise<void> => {
    c.set('identity', caller?.identity)
    if (options.user) c.set('user', caller?.user)
    return next()
  }
  const enter = async (c: Context, next: Next, demand: Demand<S>): Promise<Response | void> => {
    const decision = await core.enter(c, c.req.raw, demand)
    return decision.allowed ? goOn(c, next, decision.caller) : toResponse(decision.answer)
  }
  return assembleGuard(
    core,
    (demand): MiddlewareHandler =>
      (c, next) => {
        const known = core.enterAtOnce(c, c.req.raw, demand)
        return known ? goOn(c, next, known) : enter(c, next, demand)
      },
    (request: HttpRequest) => request,
  )
}

/**
 * Answers Keystile's own endpoints in a Hono app; everything else goes on to the app. Use it at the
 * app's root, before any route, whatever path the issuer has: `new Hono().use(mount(keystile))`.
 */
export function mount(keystile: Mountable): MiddlewareHandler {
  return async (c, next) => {
    // What @hono/node-server passes on; elsewhere nobody tells the address.
    const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } }
    const answer = await keystile.answer(readWebRequest(c.req.raw, incoming?.socket?.remoteAddress))
    return answer ? toResponse(answer) : next()
  }
}
