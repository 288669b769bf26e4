import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import {
  pathOf,
  problemAnswer,
  ProblemError,
  readNodeRequest,
  writeAnswer,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import { createPages } from '../features/docs/swagger-ui.ts'
import { jsonAnswer } from '../http/route.ts'
import type { Running } from './wire.ts'

/** How long a client may take to send its header, and its whole request. */
const limits = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 }
/** Requests that are under way get this long when the server stops. */
const drainMilliseconds = 10_000

// An import of node:http also loads all that its lazy members stand for: 19 MiB and 30 ms.
const { createServer } = process.getBuiltinModule('node:http')

export interface ListeningServer {
  /** Stops listening, lets requests end, and closes what the server ran on. */
  close(): Promise<void>
}

/**
 * The stand-alone server: Keystile's endpoints, `/healthz`, `/readyz`, `/openapi.json` and `/docs`, and 404 for anything else.
 *
 * @param hosts each is listened on; of several, those that this machine does not have are left out
 * @throws {Error} when the port is taken, or none of the hosts can be listened on
 */
export async function listen(
  { keystile, document, isReady }: Running,
  { hosts, port }: { readonly hosts: readonly string[]; readonly port: number },
): Promise<ListeningServer> {
  const docs = createPages({ path: '/docs', documentPath: '/openapi.json', title: 'Keystile' })
  const openapi = jsonAnswer(200, document)
  const answerRead = async (path: string): Promise<HttpAnswer | undefined> => {
    switch (path) {
      case '/healthz':
        return jsonAnswer(200, { status: 'ok' })
      case '/readyz':
        return (await isReady())
          ? jsonAnswer(200, { status: 'ready' })
          : jsonAnswer(503, { status: 'the database does not answer' }, { 'retry-after': '1' })
      case '/openapi.json':
        return openapi
      default:
        return docs(path)
    }
  }
  const answer = async (request: HttpRequestWithBody): Promise<HttpAnswer> => {
    const own = await keystile.answer(request)
    if (own) return own
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const found = isRead ? await answerRead(pathOf(request.url) ?? '') : undefined
    return found ?? problemAnswer(new ProblemError('not_found', 'There is nothing here'))
  }
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    writeAnswer(response, await answer(readNodeRequest(request)))
  }
  const servers: Server[] = []
  const absent: Error[] = []
  for (const host of hosts) {
    const server = createServer(limits, (request, response) => void handle(request, response))
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
  if (servers.length === 0) throw absent[0]!
  return {
    async close() {
      await Promise.all(servers.map(closeServer))
      await keystile.close()
    },
  }
}

async function closeServer(server: Server): Promise<void> {
  const drained = setTimeout(() => server.closeAllConnections(), drainMilliseconds)
  // A connection that answers its last request is idle only then.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearInterval(idle)
  clearTimeout(drained)
}
