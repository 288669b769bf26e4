// The caller of an admitted request, stored in the object that represents the request in Nest. The
// guard stores it; `@Caller()` and the guards and interceptors of an app read it.
import type { IncomingMessage } from 'node:http'
import type { ExecutionContext } from '@nestjs/common'
import type { GuardOptions } from '../../guard/guard-options.ts'
import type { Caller } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'
import type { Class, HandlerDemand } from './declared.ts'
import { requestOf } from './request.ts'

export type CallerOf<Options> =
  Options extends GuardOptions<infer S, infer U, infer T> ? Caller<S, U, T> : never

interface Admitted {
  readonly request: IncomingMessage
  /** Returns the demand of a handler; `undefined` if the guard checks nothing for it. */
  readonly demandOf: (type: Class, handler: object) => HandlerDemand | undefined
  readonly demand: HandlerDemand
  readonly caller: Caller<string, unknown, TokenType> | undefined
}

const admitted: unique symbol = Symbol('admitted')

interface Carrier {
  [admitted]?: Admitted
}

export function storeAdmitted(carrier: Carrier, value: Admitted): void {
  carrier[admitted] = value
}

/**
 * Returns the caller that a guard has admitted, and the demand that the guard has checked;
 * `undefined` if no guard ran for this request. A carrier may be a copy of another request's.
 */
export function findAdmitted(carrier: Carrier, request: IncomingMessage): Admitted | undefined {
  const found = carrier[admitted]
  return found?.request === request ? found : undefined
}

/**
 * Returns the object that represents a call in Nest: the HTTP request, the context of a GraphQL
 * operation, or the client of a WebSocket.
 *
 * @throws {TypeError} for any other kind of call, such as a message of a microservice
 */
export function carrierOf(context: ExecutionContext): object {
  const carrier = findCarrier(context)
  if (typeof carrier === 'object' && carrier !== null) return carrier
  throw new TypeError(
    'a guard of keystile/nest checks HTTP requests, GraphQL operations and messages of ' +
      `WebSockets; it got a call of the kind "${context.getType()}", which it cannot check. ` +
      'Fix: mark the handler with @Public(), and protect it in another way',
  )
}

function findCarrier(context: ExecutionContext): unknown {
  // Does the same as `switchToHttp().getRequest()` and so on, but creates no functions for each
  // request.
  switch (context.getType<string>()) {
    case 'http':
    case 'ws':
      return context.getArgByIndex(0)
    case 'graphql':
      // A reference resolver of a federation gets no arguments: (reference, context, info).
      return context.getArgByIndex(context.getArgs().length === 3 ? 1 : 2)
  }
  return undefined
}

/**
 * Returns the caller, for your own guards and interceptors: `getCaller<typeof keystile>(context)`.
 * In a handler, use `@Caller()`.
 *
 * @throws {TypeError} if no guard ran before, or if only an optional guard ran and the request has
 *   no credential
 */
export function getCaller<Options>(context: ExecutionContext): CallerOf<Options> {
  const caller = findCaller<Options>(context)
  if (caller) return caller
  throw new TypeError(
    'the guard of this handler is optional and the request has no token: ' +
      'use @OptionalCaller(), which passes undefined for such a request',
  )
}

/**
 * Returns the caller as `getCaller` does; `undefined` if an optional guard admitted a request
 * without a credential.
 *
 * @throws {TypeError} if no guard ran before for this request
 */
export function findCaller<Options>(context: ExecutionContext): CallerOf<Options> | undefined {
  const carrier = carrierOf(context)
  const found = findAdmitted(carrier, requestOf(context, carrier))
  // The client of a WebSocket keeps the caller of an earlier message, whose session may have ended.
  const isStale =
    context.getType<string>() === 'ws' &&
    found?.demandOf(context.getClass(), context.getHandler()) === undefined
  if (found && !isStale) return found.caller as CallerOf<Options> | undefined
  throw new TypeError(
    'no guard ran for this handler, so it has no caller: add @Guard() or @OptionalGuard() to it',
  )
}
