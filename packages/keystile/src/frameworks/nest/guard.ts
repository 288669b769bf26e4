// In Nest, a guard is not middleware of a route. Decorators (`decorators.ts`) declare demands
// (`declared.ts`), and Nest calls the one guard in this file for each handler. It looks up the
// demands of the handler and asks the core of the guard. `request.ts` finds the request,
// `admitted.ts` keeps the caller for the handler, and `module.ts` puts all this together. Nest
// never calls a guard for some classes and methods. If a decorator is at such a place,
// `check-handlers.ts` stops the start of the app.
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  HttpException,
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common'
import type { TokenError } from '../../base/errors.ts'
import type { Demand } from '../../guard/demand.ts'
import type { Caller } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'
import type { HttpAnswer } from '../../http/message.ts'
import { sendAnswer, type FastifyReplyLike } from '../fastify/send-answer.ts'
import { writeAnswer } from '../node/node-answer.ts'
import { readNodeHead } from '../node/node-request.ts'
import { carrierOf, findAdmitted, storeAdmitted } from './admitted.ts'
import { demandOf, type AnyCore, type Class, type HandlerDemand } from './declared.ts'
import { requestOf } from './request.ts'

/** The guards of an app: `KeystileModule` provides them under `guardsToken`. */
export interface Guards {
  readonly core: AnyCore
  /**
   * Returns the demand of a handler; `undefined` for a handler that any caller may use.
   *
   * @throws {TypeError} for a scope that is not declared
   */
  readonly demandOf: (type: Class, handler: object) => HandlerDemand | undefined
}

// Nest shows the name of this token if an app has a decorator but not the module.
export const guardsToken: unique symbol = Symbol('KeystileModule.forRoot(…)')

/**
 * Creates the guards of an app.
 *
 * @param byDefault the demand of handlers without a decorator; `undefined` if they are open
 */
export function createGuards(core: AnyCore, byDefault: Demand | undefined): Guards {
  const demands = new WeakMap<object, WeakMap<object, HandlerDemand | 'none'>>()
  return {
    core,
    demandOf(type, handler) {
      const known = demands.get(type)?.get(handler)
      if (known !== undefined) return known === 'none' ? undefined : known

      const demand = demandOf(type, handler, { core, byDefault })
      const ofClass = demands.get(type) ?? new WeakMap<object, HandlerDemand | 'none'>()
      demands.set(type, ofClass.set(handler, demand ?? 'none'))
      return demand
    },
  }
}

/**
 * The guard that Nest calls for each handler. Like the guards of other frameworks, it sends the
 * answer to a refused HTTP request itself, and no exception filter sees the refusal. For GraphQL
 * and for WebSocket messages, it throws an error, because one request or connection can have
 * several answers.
 */
export class KeystileGuard implements CanActivate {
  readonly #guards: Guards

  constructor(guards: Guards) {
    this.#guards = guards
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { core, demandOf } = this.#guards
    const demand = demandOf(context.getClass(), context.getHandler())
    if (!demand) return true

    const carrier = carrierOf(context)
    const request = requestOf(context, carrier)
    // Nest calls this guard twice if it is global and the class has a decorator too. On a WebSocket
    // the guard checks each message, and each event of a GraphQL subscription that has guarded
    // fields: the session may have ended since.
    const isLong = context.getType<string>() === 'ws' || request.headers.upgrade !== undefined
    if (!isLong && findAdmitted(carrier, request)?.demand === demand) return true

    const caller = core.enterAtOnce({}, readNodeHead(request), demand.joined)
    if (!caller) return this.#enter(context, request, demand)
    storeAdmitted(carrier, { request, demand, caller, demandOf })
    return true
  }

  /** Checks the demands of a handler one after the other, as if each demand had its own guard. */
  async #enter(
    context: ExecutionContext,
    request: IncomingMessage,
    demand: HandlerDemand,
  ): Promise<boolean> {
    const { core, demandOf } = this.#guards
    const read = readNodeHead(request)
    const entered = {}
    let caller: Caller<string, unknown, TokenType> | undefined
    for (const part of demand.parts) {
      const decision = await core.enter(entered, read, part, () => routeOf(context))
      if (!decision.allowed) return refuse(context, decision)
      caller = decision.caller
    }
    storeAdmitted(carrierOf(context), { request, demand, caller, demandOf })
    return true
  }
}
Injectable()(KeystileGuard)
Inject(guardsToken)(KeystileGuard, undefined, 0)

/** Returns the pattern of an HTTP route, as Express or Fastify keeps it. */
function routeOf(context: ExecutionContext): string | undefined {
  if (context.getType() !== 'http') return undefined
  const { route, routeOptions } = context.switchToHttp().getRequest<{
    readonly route?: { readonly path?: unknown }
    readonly routeOptions?: { readonly url?: string }
  }>()
  return routeOptions?.url ?? (typeof route?.path === 'string' ? route.path : undefined)
}

/**
 * Answers a refused HTTP request. The promise never resolves: otherwise Nest would continue, or an
 * exception filter would write a second answer.
 *
 * @throws for a refused GraphQL field or WebSocket message, so that Nest reports the refusal in
 *   that protocol
 */
async function refuse(
  context: ExecutionContext,
  { error, answer }: { readonly error: TokenError; readonly answer: HttpAnswer },
): Promise<never> {
  const { status, code, message } = error
  switch (context.getType<string>()) {
    case 'http': {
      const response = context.switchToHttp().getResponse<ServerResponse | FastifyReplyLike>()
      if ('writeHead' in response) writeAnswer(response, answer)
      else sendAnswer(response, answer)
      return new Promise(() => {})
    }
    case 'ws': {
      // Only an app with gateways has this package.
      const { WsException } = await import('@nestjs/websockets')
      throw new WsException({ status: 'error', message, code })
    }
    default:
      throw new HttpException({ statusCode: status, message, error: code }, status)
  }
}
