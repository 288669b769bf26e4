import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface PipelineLimits {
  /** Unanswered requests of one connection. */
  readonly pipelinedRequests: number
  /** Unanswered requests of all connections together, besides the first of each. */
  readonly pipelinedRequestsOfAll: number
}

/** Handles a request when it is its turn, or resets its connection. */
export type Turns = (response: ServerResponse, handle: () => void) => void

/** Node's parser takes a negative number for an error and stops. */
const parserError = -1

/**
 * Handles the requests of a connection one after another: the next one when the client has taken the
 * answer before, and other connections had their turn. Resets the connection of a client that sends
 * too many ahead, or a body: node would hold it until its turn, and it counts bytes but not the pieces,
 * of which a byte each takes several hundred times its memory. Node parses a piece of 64 KiB in one go, which is more than a thousand requests, so
 * to pause the connection is too late. Clients and proxies of today do not pipeline.
 */
export function createTurns({ pipelinedRequests, pipelinedRequestsOfAll }: PipelineLimits): Turns {
  /** The first is under way. */
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
      // Not after the last answer of a connection, nor after a reset.
      if (socket.writable) requests[0]?.()
    }

    requests.push(handle)
    response.once('finish', () => {
      // With no request behind it there is nothing to begin. Otherwise other connections come in between.
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
 * Stops the parsing of what was read from a connection that was reset: node would otherwise make,
 * and abort, each of the requests in it. Node has no public way to do so. Where a release of it has
 * no such member, the rest is parsed, which costs time alone.
 */
function stopParser(socket: Socket & { readonly parser?: { onIncoming?: () => number } | null }): void {
  if (socket.parser) socket.parser.onIncoming = () => parserError
}
