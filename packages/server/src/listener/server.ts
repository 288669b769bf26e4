// The stand-alone HTTP server. `stand-alone.ts` answers the requests. `limited-server.ts` limits
// what clients may take: `pipelining.ts` handles one request of a connection at a time,
// `slow-readers.ts` closes connections whose clients receive their answers too slowly, and
// `unfinished-bodies.ts` those whose bodies take too much memory. `addresses.ts` starts and stops
// listening. Requests are counted and logged under the path pattern of their route, such as
// `/users/{id}`.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { pathOf, problemAnswer, ProblemError, randomId, type Logger } from 'keystile/internal'
import { readNodeRequest } from 'keystile/internal-node'
import type { Metrics } from '../features/operations/metrics/metrics.ts'
import { addressOf } from '../http/address.ts'
import { closeServer, listenOn } from './addresses.ts'
import type { Binding } from './binding.ts'
import {
  createGate,
  createLimitedServer,
  standardLimits,
  type ConnectionLimits,
  type Gate,
} from './limited-server.ts'
import { connections, droppedConnections, requests, requestSeconds } from './metrics.ts'
import type { Service } from './service.ts'
import { createStandAlone, metricsAnswer } from './stand-alone.ts'

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
  const gate = createGate(limits)
  const servers: Server[] = []
  const metricServers: Server[] = []

  const readMetrics =
    metrics &&
    (async () =>
      metrics.counts.read([
        ...service.readGauges(),
        { gauge: connections, value: await countConnections(servers) },
      ]))
  const ownMetrics = metrics?.binding === 'own' ? readMetrics : undefined
  const handle = handlerOf(service, options, gate, ownMetrics)
  const onDropped = (): void => metrics?.counts.meter.add(droppedConnections, {})
  try {
    const createMain = (): Server => createLimitedServer(handle, gate, limits, onDropped)
    servers.push(...(await listenOn(options, createMain)))
    if (readMetrics && metrics.binding !== 'own') {
      const answerMetrics = metricsHandler(readMetrics, gate)
      const createOther = (): Server => createLimitedServer(answerMetrics, gate, limits, () => {})
      metricServers.push(...(await listenOn(metrics.binding, createOther)))
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

/** Returns the handler of a server that has only `/metrics`. */
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

async function countConnections(servers: readonly Server[]): Promise<number> {
  const counts = await Promise.all(servers.map(connectionsOf))
  return counts.reduce((sum, count) => sum + count, 0)
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count ?? 0)))
}
