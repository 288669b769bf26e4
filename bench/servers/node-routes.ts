import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answer, hostname, variable } from './environment.ts'

type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => unknown,
) => unknown

/** Serves an open and a guarded route in node:http. `mounted` gets each request first. */
export function serveNode(guard: Middleware, mounted?: Middleware): void {
  createServer((request, response) => {
    const answerRoutes = (): unknown => {
      if (request.url === '/open') return json(response, 200, answer)
      if (request.url === '/guarded')
        return guard(request, response, () => json(response, 200, answer))
      return json(response, 404, { detail: 'There is nothing here' })
    }
    return mounted ? mounted(request, response, answerRoutes) : answerRoutes()
  }).listen(Number(variable('PORT')), hostname)
}

function json(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  response.writeHead(status, headers).end(text)
}
