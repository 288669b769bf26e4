import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Demand } from '../../guard/demand.ts'
import type { GuardOptions } from '../../guard/guard-options.ts'
import { createGuardCore } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'
import type { UserObject } from '../../guard/user.ts'
import type { HttpRequest } from '../../http/message.ts'
import { assembleGuard, type AssembledGuard } from '../assemble-guard.ts'
import { acceptMountable, type Mountable } from '../mountable.ts'
import { writeAnswer } from '../node/node-answer.ts'
import { readCheckedRequest, readNodeHead, readNodeRequest } from '../node/node-request.ts'
import { passAsError } from '../pass-as-error.ts'
import { readParsedBody } from './parsed-body.ts'

/**
 * Middleware for Express 4 and 5. If the app's `user` function throws, the middleware passes the
 * error to `next`, and Express passes it to the app's error handler.
 */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void | Promise<void>

/** Guards for Express routes and routers. The handler calls `guard.caller(req)`. */
export interface Guard<S extends string, U, T extends TokenType = 'at+jwt'> extends AssembledGuard<
  S,
  U,
  T,
  ExpressMiddleware,
  IncomingMessage,
  IncomingMessage | HttpRequest
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
  return assembleGuard(
    core,
    (demand: Demand<S>): ExpressMiddleware =>
      (request, response, next) => {
        const read = readNodeHead(request)
        if (core.enterAtOnce(request, read, demand)) return next()

        // Returns the promise, so that the app's own code can wait for it. Express 5 also waits for
        // it, and handles an error that `next` throws.
        return core.enter(request, read, demand, routeOf).then((decision) => {
          if (decision.allowed) next()
          else writeAnswer(response, decision.answer)
        }, passAsError(next))
      },
    readCheckedRequest,
  )
}

/**
 * Returns the pattern of the route, without the path of its router. Returns `undefined` in the
 * middleware of a router, which runs before Express knows the route.
 */
function routeOf({
  route,
}: IncomingMessage & { readonly route?: { readonly path?: unknown } }): string | undefined {
  return typeof route?.path === 'string' ? route.path : undefined
}

/**
 * Creates middleware that answers requests to Keystile's own endpoints, or to the metadata of
 * `protectedResource`, and calls `next` for all other requests. Use it at the root of the app,
 * without a path: `app.use(mount(keystile))`. It may stand before or after body parsers.
 */
export function mount(mountable: Mountable): ExpressMiddleware {
  acceptMountable(mountable)
  return (request, response, next) => {
    // A router removes its own path from `url`. `originalUrl` has the whole URL of the request.
    const { originalUrl } = request as { originalUrl?: string }
    const read = readNodeRequest(request)
    const whole = {
      ...read,
      url: originalUrl ?? read.url,
      body: readParsedBody(request, read.body),
    }

    mountable
      .answer(whole)
      .then((answer) => (answer ? writeAnswer(response, answer) : next()), passAsError(next))
  }
}
