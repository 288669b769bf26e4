import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface PipelineLimits {
  /** Unanswered requests of one connection. */
  readonly pipelinedRequests: number
  /** Unanswered requests of all connections together, without the first of each. */
  readonly pipelinedRequestsOfAll: number
}

/** Handles a request at its turn, or resets its connection. */
export type Turns = (response: ServerResponse, handle: () => void) => void

/** Node's parser stops at a negative number. */
const parserError = -1

// decisions/0008-one-request-at-a-time.md
/**
 * Handles the requests of a connection one after another. The next one begins when the client has
 * taken the answer before, and other connections had their turn. A client that sends too many
 * requests ahead, or one with a body, gets a reset: node would hold the body until its turn, and
 * limits its bytes but not its pieces, of which each takes several hundred times the memory of a
 * byte. To pause the connection would be too late: node parses 64 KiB at once, more than a thousand
 * requests. Today's clients and proxies do not pipeline.
 */
export function createTurns({ pipelinedRequests, pipelinedRequestsOfAll }: PipelineLimits): Turns {
  /** The first one is running. */
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
      // Not after the last answer of a connection or a reset.
      if (socket.writable) requests[0]?.()
    }

    requests.push(handle)
    response.once('finish', () => {
      // Other connections get a turn before the next request begins.
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
 * Stops the parser of a connection that was reset. Otherwise node would make and abort each request
 * that it has read already. There is no public way to do so: in a release without this member, node
 * parses the rest, which only costs time.
 */
function stopParser(
  socket: Socket & { readonly parser?: { onIncoming?: () => number } | null },
): void {
  if (socket.parser) socket.parser.onIncoming = () => parserError
}
