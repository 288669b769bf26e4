import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Demand } from '../../guard/demand.ts'
import { createGuardCore, type GuardOptions } from '../../guard/guard.ts'
import type { UserObject } from '../../guard/user.ts'
import type { HttpRequest } from '../../http/message.ts'
import { assembleGuard, type AssembledGuard } from '../assemble-guard.ts'
import type { Mountable } from '../mountable.ts'
import { readCheckedRequest, readNodeRequest, writeAnswer } from '../node/node-request.ts'
import { readParsedBody } from './parsed-body.ts'
import { passAsError } from '../thrown.ts'

/**
 * What Express 4 and 5 take as middleware. Errors of the app's own `user` go to `next`, and so to
 * its error handler.
 */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void | Promise<void>

/** Guards of Express routes and routers. The handler asks `guard.caller(req)`. */
export interface Guard<S extends string, U> extends AssembledGuard<
  S,
  U,
  ExpressMiddleware,
  IncomingMessage,
  IncomingMessage | HttpRequest
> {}

/** Makes the guards of an app from a verifier, or from the object of `createKeystile`. */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
>(options: GuardOptions<S, U>): Guard<S, U> {
  const core = createGuardCore(options)
  return assembleGuard(
    core,
    (demand: Demand<S>): ExpressMiddleware =>
      (request, response, next) => {
        const read = readNodeRequest(request)
        if (core.enterAtOnce(request, read, demand)) return next()
        // Returned, so that a handler of the app's own can wait for it, and Express 5 hears what
        // `next` throws.
        return core.enter(request, read, demand).then((decision) => {
          if (decision.allowed) next()
          else writeAnswer(response, decision.answer)
        }, passAsError(next))
      },
    readCheckedRequest,
  )
}

/**
 * Answers Keystile's own endpoints in an Express app, and calls `next` for every other request. Use
 * it at the app's root, `app.use(mount(keystile))`, whatever path the issuer has; before body
 * parsers or behind them.
 */
export function mount(keystile: Mountable): ExpressMiddleware {
  return (request, response, next) => {
    // Below a router `url` is cut; what was asked for is in `originalUrl`.
    const { originalUrl } = request as { originalUrl?: string }
    const read = readNodeRequest(request)
    const whole = {
      ...read,
      url: originalUrl ?? read.url,
      body: readParsedBody(request, read.body),
    }
    keystile
      .answer(whole)
      .then((answer) => (answer ? writeAnswer(response, answer) : next()), passAsError(next))
  }
}
