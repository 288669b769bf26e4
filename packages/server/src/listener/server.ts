import { once } from 'node:events'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { pathOf, problemAnswer, ProblemError, randomId, readNodeRequest, type Logger } from 'keystile/internal'
import { addressOf } from '../features/audit/audit.ts'
import type { Metrics } from '../features/metrics/metrics.ts'
import { connections, droppedConnections, requests, requestSeconds } from './metrics.ts'
import { createTurns, type PipelineLimits, type Turns } from './pipelining.ts'
import { createAnswerWriter, type AnswerWriter, type ReaderLimits } from './slow-readers.ts'
import { createStandAlone, metricsAnswer } from './stand-alone.ts'
import type { Binding } from './binding.ts'
import type { Service } from './service.ts'

/** What a client may take, in time and in number; docs/operations.md says it to operators. */
export interface Limits extends ReaderLimits, PipelineLimits {
  /** From the first byte of a connection, or of a further request on it, to the end of the header. */
  readonly headerMilliseconds: number
  /** The same, to the end of the body. */
  readonly requestMilliseconds: number
  /** Without a request. More than proxies keep theirs, or they send one on a connection that is being closed. */
  readonly idleMilliseconds: number
  /** How often the first two are looked after, so they are that much longer. */
  readonly checkMilliseconds: number
  /** Of one address that is listened on. */
  readonly connections: number
}

export const standardLimits: Limits = {
  headerMilliseconds: 10_000,
  requestMilliseconds: 30_000,
  answerMilliseconds: 30_000,
  largeAnswers: 50,
  waitingMebibytes: 32,
  pipelinedRequests: 100,
  pipelinedRequestsOfAll: 2_000,
  idleMilliseconds: 65_000,
  checkMilliseconds: 5_000,
  connections: 16_384,
}

/** All header lines together: a token of the largest size that a guard reads, and some more. */
const maxHeaderBytes = 16_384
/** Node before 24.18.1 drops lines beyond a thousand unseen, and with them what a proxy adds at the end. */
const maxHeaderLines = 100
/** Bytes of a body that node reads before they are asked for. In pieces of one byte they take megabytes. */
const bodyBytesAhead = 4_096
/** Requests that are under way get this long when the server stops. */
const drainMilliseconds = 10_000
/** Where there is no room for a connection, idle ones are closed, but no more often. */
const roomMilliseconds = 1_000

// An import of node:http also loads all that its lazy members stand for: 19 MiB and 30 ms.
const { createServer } = process.getBuiltinModule('node:http')

export interface ListenOptions extends Binding {
  /** One line a request goes there. */
  readonly accessLog?: Logger | undefined
  /** Counts, and where they are read: at `/metrics` of a binding of its own, or of the server itself. */
  readonly metrics?: { readonly counts: Metrics; readonly binding: Binding | 'own' } | undefined
  readonly limits?: Limits
}

export interface ListeningServer {
  /** Stops listening, lets requests end, and closes what the server ran on. */
  close(): Promise<void>
}

/**
 * The stand-alone server, on its sockets.
 *
 * @throws {Error} when the port is taken, or none of the hosts can be listened on
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
      metrics.counts.read([...service.readGauges(), { gauge: connections, value: await countConnections() }]))
  const gate = { inTurn: createTurns(limits), write: createAnswerWriter(limits) }
  const handle = handlerOf(service, options, gate, metrics?.binding === 'own' ? readMetrics : undefined)
  const onDropped = (): void => metrics?.counts.meter.add(droppedConnections, {})
  const metricServers: Server[] = []
  try {
    servers.push(...(await listenOn(options, () => createLimitedServer(handle, gate, limits, onDropped))))
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

/** What bounds the requests and answers of all addresses that are listened on, together. */
interface Gate {
  readonly inTurn: Turns
  readonly write: AnswerWriter
}

function handlerOf(
  service: Service,
  { accessLog, metrics }: ListenOptions,
  { write }: Gate,
  readMetrics: (() => Promise<string>) | undefined,
): RequestListener {
  const { answer, routeOf } = createStandAlone(service, readMetrics)
  const isObserved = accessLog !== undefined || metrics !== undefined
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = readNodeRequest(incoming)
    const startedAt = performance.now()
    const answered = await answer(request)
    const id = accessLog && randomId()
    if (id !== undefined) response.setHeader('x-request-id', id)
    const status = write(response, answered)
    if (!isObserved) return
    const route = routeOf(request)
    const milliseconds = performance.now() - startedAt
    metrics?.counts.meter.add(requests, { route, status: String(status) })
    metrics?.counts.meter.observe(requestSeconds, { route }, milliseconds / 1000)
    const { method } = request
    const ms = Math.round(milliseconds * 10) / 10
    accessLog?.info({ method, route, status, ms, address: addressOf(request), id }, 'request')
  }
  return (incoming, response) => void handle(incoming, response)
}

function metricsHandler(readMetrics: () => Promise<string>, { write }: Gate): RequestListener {
  const handle = async ({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isThere = method === 'GET' && pathOf(url) === '/metrics'
    const notFound = new ProblemError('not_found', 'There is /metrics here, and nothing else')
    write(response, isThere ? metricsAnswer(await readMetrics()) : problemAnswer(notFound))
  }
  return (incoming, response) => void handle(incoming, response)
}

function createLimitedServer(
  handle: RequestListener,
  { inTurn, write }: Gate,
  limits: Limits,
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
      requireHostHeader: false, // the listener does, so that its answers are limited as well
    },
    listener,
  )
  // Node would answer 417, unlimited too. A server may ignore an expectation (RFC 9110 §10.1.1).
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

/** The status that refuses a request for its header. */
function headerFault({ headers, rawHeaders, httpVersion }: IncomingMessage): 400 | 431 | undefined {
  if (rawHeaders.length > 2 * maxHeaderLines) return 431
  return headers.host === undefined && httpVersion === '1.1' ? 400 : undefined
}

async function listenOn({ hosts, port }: Binding, create: () => Server): Promise<readonly Server[]> {
  const servers: Server[] = []
  const absent: Error[] = []
  for (const host of hosts) {
    const server = create()
    try {
      server.listen({ host, port })
      await once(server, 'listening')
      servers.push(server)
    } catch (error) {
      if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes((error as NodeJS.ErrnoException).code ?? '')) {
        await Promise.all(servers.map(closeServer))
        throw error
      }
      absent.push(error as Error)
    }
  }
  const [firstAbsent] = absent
  if (servers.length === 0 && firstAbsent) throw firstAbsent
  return servers
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count ?? 0)))
}

async function closeServer(server: Server): Promise<void> {
  const drained = setTimeout(() => server.closeAllConnections(), drainMilliseconds)
  // A connection that answers its last request is idle only then.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearInterval(idle)
  clearTimeout(drained)
}
