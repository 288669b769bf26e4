import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Limits for pipelined requests. A request is pipelined if the client sends it before it has
 * received the answer to its previous request.
 */
export interface PipelineLimits {
  /** The largest number of requests without an answer on one connection. */
  readonly pipelinedRequests: number
  /**
   * The largest number of requests that wait for an earlier request, on all connections together.
   */
  readonly pipelinedRequestsOfAll: number
}

/**
 * Calls `handle` when all earlier requests of the connection have been answered. If the client
 * exceeds a limit, resets the connection instead.
 */
export type Turns = (response: ServerResponse, handle: () => void) => void

/** What the callback `onIncoming` returns to stop Node's parser: any negative number. */
const parserError = -1

// decisions/0008-one-request-at-a-time.md
/**
 * Handles the requests of a connection one after another. The next request starts when the kernel
 * has the previous answer and the server has served other connections.
 *
 * This stops an attack that fills the memory: a client sends many requests before it reads answers.
 * The connection is reset when too many requests wait, or when a waiting request has a body. Node
 * would keep the body in memory until the request starts. Node limits the bytes of a body but not
 * the number of its pieces, and a piece of one byte takes several hundred bytes of memory. Pausing
 * the connection would be too late, because Node parses 64 KiB in one step, which can be more than
 * a thousand requests. Clients and proxies in use today do not pipeline.
 */
export function createTurns({ pipelinedRequests, pipelinedRequestsOfAll }: PipelineLimits): Turns {
  /** Maps each connection to its requests without an answer. The first of them is running. */
  const unanswered = new WeakMap<Socket, (() => void)[]>()
  let pipelined = 0

  function watch(socket: Socket): (() => void)[] {
    const requests: (() => void)[] = []
    unanswered.set(socket, requests)
    socket.once('close', () => {
      pipelined -= Math.max(0, requests.length - 1)
      requests.length = 0
    })
    return requests
  }

  return (response, handle) => {
    const { socket } = response.req
    if (socket.destroyed) return

    const requests = unanswered.get(socket) ?? watch(socket)
    const isFirst = requests.length === 0
    const isTooMany = requests.length >= pipelinedRequests || pipelined >= pipelinedRequestsOfAll
    if (!isFirst && (isTooMany || hasBody(response.req))) {
      socket.resetAndDestroy()
      stopParser(socket)
      return
    }

    function endTurn(): void {
      if (requests.shift() === undefined) return
      pipelined--
      // The connection may have ended with this answer, or may have been reset.
      if (socket.writable) requests[0]?.()
    }

    requests.push(handle)
    response.once('finish', () => {
      // Serves other connections before the next request begins.
      if (requests.length > 1) setImmediate(endTurn)
      else requests.length = 0
    })
    if (isFirst) handle()
    else pipelined++
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * Stops the parser of a connection that was reset. Otherwise Node would create and abort each
 * request that it has already read. Node has no public API for this, so this function uses the
 * undocumented member `socket.parser`. If a later version of Node does not have this member, Node
 * parses all these requests, which only costs time.
 */
function stopParser(
  socket: Socket & { readonly parser?: { onIncoming?: () => number } | null },
): void {
  if (socket.parser) socket.parser.onIncoming = () => parserError
}
