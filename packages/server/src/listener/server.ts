// The stand-alone HTTP server. `stand-alone.ts` answers the requests, and `pipelining.ts` handles
// one request of a connection at a time. `slow-readers.ts` closes connections whose clients receive
// their answers too slowly, and `unfinished-bodies.ts` those whose bodies take too much memory.
// Requests are counted and logged under the path pattern of their route, such as `/users/{id}`.
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { pathOf, problemAnswer, ProblemError, randomId, type Logger } from 'keystile/internal'
import { readNodeRequest } from 'keystile/internal-node'
import { addressOf } from '../http/address.ts'
import type { Metrics } from '../features/operations/metrics/metrics.ts'
import { connections, droppedConnections, requests, requestSeconds } from './metrics.ts'
import { createTurns, type PipelineLimits, type Turns } from './pipelining.ts'
import { createAnswerWriter, type AnswerWriter, type ReaderLimits } from './slow-readers.ts'
import { createStandAlone, metricsAnswer } from './stand-alone.ts'
import { createBodyReader, type BodyLimits, type BodyReader } from './unfinished-bodies.ts'
import type { Binding } from './binding.ts'
import type { Service } from './service.ts'

/**
 * Limits against clients that are slow or take too many resources. docs/reference/limits.md
 * explains them.
 */
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
/** How long a server waits for running requests when it stops. */
const drainMilliseconds = 10_000
/**
 * The shortest time between two rounds that close idle connections to make room for new
 * connections.
 */
const roomMilliseconds = 1_000

// This is not an `import`: an `import` of `node:http` would also load members that Node loads only
// on demand. They take 19 MiB and 30 ms.
const { createServer } = process.getBuiltinModule('node:http')

export interface ListenOptions extends Binding {
  /**
   * Gets one line for each request. Off by default: proxies write such a log, IP addresses are
   * personal data, and the audit record already tells who did what.
   */
  readonly accessLog?: Logger | undefined
  /**
   * `counts` is what `/metrics` shows. `binding` is where `/metrics` is served: on separate hosts
   * and a separate port, or with the server itself (`own`).
   */
  readonly metrics?: { readonly counts: Metrics; readonly binding: Binding | 'own' } | undefined
  readonly limits?: ConnectionLimits
  /** What an operator types to run a command of this installation. Default: `npx keystile`. */
  readonly program?: string
}

export interface ListeningServer {
  /** Stops listening, waits for running requests until a timeout, and closes the service. */
  close(): Promise<void>
}

/**
 * Starts the stand-alone server. Does NOT support TLS: put a proxy with TLS in front of the
 * server.
 *
 * @throws {Error} if a different process already uses the port, or if this machine has none of the
 *   hosts
 */
export async function listen(service: Service, options: ListenOptions): Promise<ListeningServer> {
  const { metrics, limits = standardLimits } = options
  const servers: Server[] = []
  const countConnections = async (): Promise<number> => {
    const counts = await Promise.all(servers.map(connectionsOf))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  const readMetrics =
    metrics &&
    (async () =>
      metrics.counts.read([
        ...service.readGauges(),
        { gauge: connections, value: await countConnections() },
      ]))

  const gate = {
    inTurn: createTurns(limits),
    readBody: createBodyReader(limits),
    write: createAnswerWriter(limits),
  }
  const handle = handlerOf(
    service,
    options,
    gate,
    metrics?.binding === 'own' ? readMetrics : undefined,
  )
  const onDropped = (): void => metrics?.counts.meter.add(droppedConnections, {})
  const metricServers: Server[] = []
  try {
    servers.push(
      ...(await listenOn(options, () => createLimitedServer(handle, gate, limits, onDropped))),
    )
    if (readMetrics && metrics.binding !== 'own') {
      const answerMetrics = metricsHandler(readMetrics, gate)
      const create = (): Server => createLimitedServer(answerMetrics, gate, limits, () => {})
      metricServers.push(...(await listenOn(metrics.binding, create)))
    }
  } catch (error) {
    await Promise.all(servers.map(closeServer))
    throw error
  }

  return {
    async close() {
      await Promise.all([...servers, ...metricServers].map(closeServer))
      metrics?.counts.close()
      await service.keystile.close()
    },
  }
}

/**
 * Applies the limits for requests and answers. All addresses on which the server listens share one
 * gate.
 */
interface Gate {
  readonly inTurn: Turns
  readonly readBody: BodyReader
  readonly write: AnswerWriter
}

/** Returns the handler of all requests, which also counts and logs them. */
function handlerOf(
  service: Service,
  { accessLog, metrics, program }: ListenOptions,
  { readBody, write }: Gate,
  readMetrics: (() => Promise<string>) | undefined,
): RequestListener {
  const { answer, routeOf } = createStandAlone(service, { readMetrics, program })
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const read = readNodeRequest(incoming)
    const body = (maxBytes: number) => readBody(incoming, () => read.body(maxBytes))
    const request = { ...read, body }
    const startedAt = performance.now()
    const answered = await answer(request)
    const id = accessLog && randomId()
    if (id !== undefined) response.setHeader('x-request-id', id)
    const status = write(response, answered)
    if (accessLog === undefined && metrics === undefined) return

    const route = routeOf(request)
    const milliseconds = performance.now() - startedAt
    metrics?.counts.meter.add(requests, { route, status: String(status) })
    metrics?.counts.meter.observe(requestSeconds, { route }, milliseconds / 1000)

    // The path and the query are not logged: they may hold a secret.
    const { method } = request
    const ms = Math.round(milliseconds * 10) / 10
    accessLog?.info({ method, route, status, ms, address: addressOf(request), id }, 'request')
  }
  return (incoming, response) => void handle(incoming, response)
}

function metricsHandler(readMetrics: () => Promise<string>, { write }: Gate): RequestListener {
  const handle = async (
    { method, url }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    const isThere = method === 'GET' && url !== undefined && pathOf(url) === '/metrics'
    const notFound = new ProblemError('not_found', 'Only GET /metrics exists here')
    write(response, isThere ? metricsAnswer(await readMetrics()) : problemAnswer(notFound))
  }
  return (incoming, response) => void handle(incoming, response)
}

function createLimitedServer(
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
  const isHost = (text: string, index: number): boolean =>
    index % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host'
  const hosts = rawHeaders.filter(isHost).length
  return hosts > 1 || (hosts === 0 && httpVersion === '1.1') ? 400 : undefined
}

/**
 * Listens on each host of a binding. Skips the hosts that this machine does not have.
 *
 * @throws {Error} if this machine has none of the hosts
 */
async function listenOn(
  { hosts, port }: Binding,
  create: () => Server,
): Promise<readonly Server[]> {
  const servers: Server[] = []
  const absent: Error[] = []
  for (const host of hosts) {
    const server = create()
    try {
      server.listen({ host, port })
      await once(server, 'listening')
      servers.push(server)
    } catch (error) {
      if (!isAbsentHost(error)) {
        await Promise.all(servers.map(closeServer))
        throw error
      }
      absent.push(error)
    }
  }
  const [firstAbsent] = absent
  if (servers.length === 0 && firstAbsent) throw firstAbsent
  return servers
}

/** Whether listening failed because this machine does not have the address. */
function isAbsentHost(error: unknown): error is Error {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count ?? 0)))
}

/** Stops listening. Waits for running requests, but not longer than `drainMilliseconds`. */
async function closeServer(server: Server): Promise<void> {
  const drained = setTimeout(() => server.closeAllConnections(), drainMilliseconds)
  // A connection becomes idle only after the answer to its last request, so check repeatedly.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearInterval(idle)
  clearTimeout(drained)
}
