// Finds the node:http request of a call in Nest.
import type { IncomingMessage } from 'node:http'
import type { ExecutionContext } from '@nestjs/common'

/** An object that may have the request of a call: the request, a GraphQL context or a client. */
interface Carrier {
  readonly req?: unknown
  readonly request?: unknown
  readonly reply?: { readonly request?: unknown }
}

// The first request that was seen with a GraphQL context.
const requests = new WeakMap<object, IncomingMessage>()

/**
 * Returns the node:http request of a call. For an HTTP call, `carrier` itself is this request. In
 * GraphQL, the context has the request as `reply.request` (Mercurius) or `req` (Apollo). For a
 * WebSocket, the client has the request of its upgrade as `request` (socket.io).
 *
 * @param carrier what `carrierOf` returns
 *
 * @throws {TypeError} if there is no such request, or if several requests share a GraphQL context
 */
export function requestOf(context: ExecutionContext, carrier: Carrier): IncomingMessage {
  const type: string = context.getType()
  const request =
    type === 'graphql'
      ? requestOfGraphql(carrier)
      : nodeRequestOf(type === 'ws' ? carrier.request : carrier)
  if (request) return request
  throw new TypeError(
    'the guard finds no HTTP request: a GraphQL context must have the request as `req`. ' +
      'The client of a WebSocket must have the request of its upgrade as `request`',
  )
}

/**
 * Returns the request of a GraphQL context. If an app uses one context for several requests,
 * Mercurius and Nest write the members of each request into this context, or keep those of the
 * first. The guard would then judge a request by the token of another one.
 */
function requestOfGraphql(carrier: Carrier): IncomingMessage | undefined {
  const own = nodeRequestOf(carrier.req)
  const request = nodeRequestOf(carrier.reply?.request) ?? own
  if (!request) return undefined

  const first = requests.get(carrier)
  if (!first) requests.set(carrier, request)
  if ((own ?? request) === request && (first ?? request) === request) return request
  throw new TypeError(
    'several requests share one GraphQL context, so the guard cannot know whose token counts. ' +
      'Fix: the function `context` of GraphQLModule must return a new object for each request',
  )
}

function nodeRequestOf(held: unknown): IncomingMessage | undefined {
  // A request of Fastify has the node:http request as `raw`.
  const request: unknown = Object(held).raw ?? held
  return isNodeRequest(request) ? request : undefined
}

function isNodeRequest(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'rawHeaders' in value
}
