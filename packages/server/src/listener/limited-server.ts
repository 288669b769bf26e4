// A server of Node with limits against clients that are slow or take too many resources.
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { createTurns, type PipelineLimits, type Turns } from './pipelining.ts'
import { createAnswerWriter, type AnswerWriter, type ReaderLimits } from './slow-readers.ts'
import { createBodyReader, type BodyLimits, type BodyReader } from './unfinished-bodies.ts'

/** docs/reference/limits.md explains these limits. */
export interface ConnectionLimits extends ReaderLimits, PipelineLimits, BodyLimits {
  /** The longest time from the first byte of a request to the end of its header. */
  readonly headerMilliseconds: number
  /** The longest time from the first byte of a request to the end of its body. */
  readonly requestMilliseconds: number
  /**
   * How long a connection stays open without a request. This must be longer than the idle timeout
   * of proxies. Otherwise a proxy may send a request just when this server closes the connection.
   */
  readonly idleMilliseconds: number
  /**
   * How often the server checks `headerMilliseconds` and `requestMilliseconds`. A client may exceed
   * these limits by up to this time.
   */
  readonly checkMilliseconds: number
  /** The largest number of open connections, for each address on which the server listens. */
  readonly connections: number
}

/** The limits of the stand-alone server. Tests use smaller limits. */
export const standardLimits: ConnectionLimits = {
  headerMilliseconds: 10_000,
  requestMilliseconds: 30_000,
  answerMilliseconds: 30_000,
  largeAnswers: 50,
  waitingMebibytes: 32,
  bodyMebibytes: 64,
  pipelinedRequests: 100,
  pipelinedRequestsOfAll: 2_000,
  idleMilliseconds: 65_000,
  checkMilliseconds: 5_000,
  connections: 16_384,
}

/**
 * The largest size of all header lines together. It leaves room for the largest token that a guard
 * reads.
 */
const maxHeaderBytes = 16_384
/**
 * The largest number of header lines. Node before 24.18.1 keeps only the first thousand lines, so a
 * client that sends more could make Node drop the `X-Forwarded-For` that a proxy has added.
 */
const maxHeaderLines = 100
/**
 * The largest number of bytes of a body that Node reads before the handler asks for the body. Node
 * stores each piece of the body in a separate buffer. If each piece is a single byte, the buffers
 * take megabytes of memory.
 */
const bodyBytesAhead = 4_096
/**
 * The shortest time between two rounds that close idle connections to make room for new
 * connections.
 */
const roomMilliseconds = 1_000

// This is not an `import`: an `import` of `node:http` would also load members that Node loads only
// on demand. They take 19 MiB and 30 ms.
const { createServer } = process.getBuiltinModule('node:http')

/**
 * Applies the limits for requests and answers. All addresses on which the server listens share one
 * gate.
 */
export interface Gate {
  readonly inTurn: Turns
  readonly readBody: BodyReader
  readonly write: AnswerWriter
}

export function createGate(limits: ConnectionLimits): Gate {
  return {
    inTurn: createTurns(limits),
    readBody: createBodyReader(limits),
    write: createAnswerWriter(limits),
  }
}

/**
 * Creates a server that applies the limits: Node applies most of them, the gate the others.
 *
 * @param handle handles the requests within the limits
 * @param onDropped called for each connection that is refused because too many are open
 */
export function createLimitedServer(
  handle: RequestListener,
  { inTurn, write }: Gate,
  limits: ConnectionLimits,
  onDropped: () => void,
): Server {
  const listener: RequestListener = (incoming, response) => {
    inTurn(response, () => {
      const status = headerFault(incoming)
      if (status === undefined) handle(incoming, response)
      else write(response, { status, headers: { connection: 'close' } })
    })
  }
  const server = createServer(
    {
      headersTimeout: limits.headerMilliseconds,
      requestTimeout: limits.requestMilliseconds,
      keepAliveTimeout: limits.idleMilliseconds,
      connectionsCheckingInterval: limits.checkMilliseconds,
      maxHeaderSize: maxHeaderBytes,
      highWaterMark: bodyBytesAhead,
      requireHostHeader: false, // `headerFault` checks it, within the limits
    },
    listener,
  )
  // Without this listener, Node would answer 417 and our limits would not apply. A server may
  // ignore an expectation (RFC 9110 §10.1.1).
  server.on('checkExpectation', listener)

  server.maxConnections = limits.connections
  let madeRoomAt = -Infinity
  server.on('drop', () => {
    onDropped()
    if (performance.now() - madeRoomAt < roomMilliseconds) return
    madeRoomAt = performance.now()
    server.closeIdleConnections()
  })

  return server
}

/**
 * Returns the status for a request that must be refused because of its header. Returns undefined if
 * the header is acceptable.
 */
function headerFault({ rawHeaders, httpVersion }: IncomingMessage): 400 | 431 | undefined {
  if (rawHeaders.length > 2 * maxHeaderLines) return 431

  // Node keeps the first `Host` only, and a proxy may have read another one (RFC 9112 §3.2).
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1 || (hosts === 0 && httpVersion === '1.1') ? 400 : undefined
}
