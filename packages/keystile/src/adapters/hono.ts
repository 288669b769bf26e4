import type { Context, MiddlewareHandler, Next } from 'hono'
import type { HttpRequest } from '../http/message.ts'
import { toResponse } from '../http/message.ts'
import {
  createGuardCore,
  requireCaller,
  withMembers,
  type Caller,
  type Decision,
  type DemandArguments,
  type GuardOptions,
} from '../guard/guard.ts'
import type { Identity } from '../guard/verifier.ts'
import type { Mountable } from './mountable.ts'
import { readWebRequest } from './web-request.ts'

/** Guards of Hono routes. In a chain `c.var.identity` and `c.var.user` are typed; elsewhere ask `guard.caller(c)`. */
export interface Guard<S extends string, U> {
  /** Lets in whoever has all these scopes, and logged in lately where that is demanded. @throws {TypeError} for a wrong demand */
  (...demand: DemandArguments<S>): MiddlewareHandler<{ Variables: { identity: Identity<S>; user: U } }>
  /** The same, and requests without a credential. A credential that is wrong is still refused. */
  readonly optional: {
    (
      ...scopes: readonly S[]
    ): MiddlewareHandler<{ Variables: { identity: Identity<S> | undefined; user: U | undefined } }>
    /** @throws {TypeError} where no guard ran */
    caller(c: Context): Caller<S, U> | undefined
  }
  /** Decides without a route: for WebSockets, GraphQL, anything with a method, a URL and headers. */
  check(request: HttpRequest, ...demand: DemandArguments<S>): Promise<Decision<S, U>>
  /** @throws {TypeError} where no guard ran */
  caller(c: Context): Caller<S, U>
}

/** Makes the guards of an app from a verifier, or from the object of `createKeystile`. */
export function createGuard<S extends string = string, U = undefined>(options: GuardOptions<S, U>): Guard<S, U> {
  const core = createGuardCore(options)
  const middleware = (args: DemandArguments<S>, optional: boolean): MiddlewareHandler => {
    const demand = core.demand(args, optional)
    const enter = (c: Context, next: Next, caller: Caller<S, U> | undefined): Promise<void> => {
      core.admit(c, caller)
      c.set('identity', caller?.identity)
      if (options.user) c.set('user', caller?.user)
      return next()
    }
    const checked = async (c: Context, next: Next): Promise<Response | void> => {
      const decision = await core.check(c.req.raw, demand)
      return decision.allowed ? enter(c, next, decision.caller) : toResponse(decision.answer)
    }
    return (c, next) => {
      const known = core.admitAtOnce(c.req.raw, demand)
      return known ? enter(c, next, known) : checked(c, next)
    }
  }
  const guard = (...demand: DemandArguments<S>): MiddlewareHandler => middleware(demand, false)
  const optional = (...demand: DemandArguments<S>): MiddlewareHandler => middleware(demand, true)
  return withMembers(guard, {
    optional: withMembers(optional, { caller: (c: Context) => core.callerOf(c) }),
    check: (request: HttpRequest, ...demand: DemandArguments<S>) => core.check(request, core.demand(demand, false)),
    caller: (c: Context) => requireCaller(core, c),
  })
}

/**
 * Answers Keystile's own endpoints in a Hono app; everything else goes on to the app. Use it at the app's root, before
 * any route, whatever path the issuer has: `new Hono().use(mount(keystile))`.
 */
export function mount(keystile: Mountable): MiddlewareHandler {
  return async (c, next) => {
    const answer = await keystile.answer(readWebRequest(c.req.raw))
    return answer ? toResponse(answer) : next()
  }
}
