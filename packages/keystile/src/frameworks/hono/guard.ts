import type { Context, MiddlewareHandler, Next } from 'hono'
import { kindOf, requireKnownOptions } from '../../base/options.ts'
import type { Demand } from '../../guard/demand.ts'
import type { GuardOptions } from '../../guard/guard-options.ts'
import { createGuardCore, type Caller } from '../../guard/guard.ts'
import type { Identity, TokenType } from '../../guard/identity.ts'
import type { UserObject } from '../../guard/user.ts'
import { toResponse, type HttpRequest } from '../../http/message.ts'
import { peerOf, type PeerSocket } from '../../http/peer.ts'
import { assembleGuard, type AssembledGuard } from '../assemble-guard.ts'
import { acceptMountable, type Mountable } from '../mountable.ts'
import { readWebRequest } from '../web/web-request.ts'

/** Middleware after which `c.var` has the identity and the user, with their types. */
export type HonoMiddleware<I, U> = MiddlewareHandler<{ Variables: { identity: I; user: U } }>

/**
 * Guards for Hono routes. In a handler that is registered together with the guard, as in
 * `app.get('/items', guard(), handler)`, TypeScript knows the types of `c.var.identity` and
 * `c.var.user`. In all other functions, call `guard.caller(c)`.
 */
export interface Guard<S extends string, U, T extends TokenType = 'at+jwt'> extends AssembledGuard<
  S,
  U,
  T,
  HonoMiddleware<Identity<S, T>, U>,
  Context,
  HttpRequest,
  HonoMiddleware<Identity<S, T> | undefined, U | undefined>
> {}

/**
 * Creates the guards of an app from a verifier, or from the object of `createKeystile`.
 *
 * @throws {TypeError} for an option that is unknown or wrong
 */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
  T extends TokenType = 'at+jwt',
>(options: GuardOptions<S, U, T>): Guard<S, U, T> {
  const core = createGuardCore(options)

  const goOn = (c: Context, next: Next, caller: Caller<S, U, T> | undefined): Promise<void> => {
    c.set('identity', caller?.identity)
    if (options.user) c.set('user', caller?.user)
    return next()
  }
  const enter = async (c: Context, next: Next, demand: Demand<S>): Promise<Response | void> => {
    const decision = await core.enter(c, c.req.raw, demand, routeOf)
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
 * Returns the pattern of the route that will answer, not the pattern of middleware before the
 * route.
 */
function routeOf({ req }: Context): string {
  return req.matchedRoutes.findLast(({ path }) => !path.endsWith('*'))?.path ?? req.routePath
}

export interface MountOptions {
  /**
   * Returns the IP address of the sender or of the last proxy: the function `getConnInfo` of Hono's
   * adapter for your platform. Rate limits and the audit record need the address. Default: the
   * address that @hono/node-server knows.
   */
  readonly getConnInfo?: (c: Context) => {
    readonly remote: { readonly address?: string | undefined }
  }
}

/**
 * Creates middleware that answers requests to Keystile's own endpoints, or to the metadata of
 * `protectedResource`. All other requests go on to the app. Use it at the root of the app, before
 * any route, without a path:
 * `new Hono().use(mount(keystile))`.
 *
 * @throws {TypeError} for an option that is unknown or wrong
 */
export function mount(mountable: Mountable, options: MountOptions = {}): MiddlewareHandler {
  acceptMountable(mountable)
  requireKnownOptions('mount', options, ['getConnInfo'])
  const { getConnInfo } = options
  if (getConnInfo !== undefined && typeof getConnInfo !== 'function') {
    throw new TypeError(
      `the option \`getConnInfo\` of mount must be a function; it is ${kindOf(getConnInfo)}`,
    )
  }

  return async (c, next) => {
    const address = getConnInfo ? getConnInfo(c).remote.address : peerOfNode(c)
    const answer = await mountable.answer(readWebRequest(c.req.raw, address))
    return answer ? toResponse(answer) : next()
  }
}

/** @hono/node-server passes the node:http request as `incoming`. */
function peerOfNode(c: Context): string | undefined {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: PeerSocket } }
  return peerOf(incoming?.socket)
}
