import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { createByteCollector } from '../../base/bytes.ts'
import { ProblemError } from '../../base/errors.ts'
import {
  noSniffing,
  tooLarge,
  type AnswerBody,
  type HttpAnswer,
  type HttpRequest,
  type HttpRequestWithBody,
} from '../../http/message.ts'

/** Reads a request of node:http. A server's request always has a method and a URL. */
export function readNodeRequest(request: IncomingMessage): HttpRequestWithBody {
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    // The request of a serverless platform's adapter may have no socket.
    remoteAddress: request.socket?.remoteAddress,
    headers: {
      get: (name) =>
        name === 'authorization' ? authorizationOf(request) : request.headers[name]?.toString(),
    },
    body: (maxBytes) => readBody(request, maxBytes),
  }
}

/**
 * Joins two `Authorization` fields, as other servers do. Node itself keeps the first and drops the
 * second silently.
 */
function authorizationOf(request: IncomingMessage): string | undefined {
  const { rawHeaders } = request
  // The request of a serverless platform's adapter has no raw headers.
  if (rawHeaders.length === 0) return request.headers.authorization
  let found: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') {
      const value = rawHeaders[i + 1]
      found = found === undefined ? value : `${found}, ${value}`
    }
  }
  return found
}

/** Reads what `guard.check` takes: a node request, or a method, a URL and `headers.get`. */
export function readCheckedRequest(request: IncomingMessage | HttpRequest): HttpRequest {
  return 'rawHeaders' in request ? readNodeRequest(request) : request
}

/**
 * Reads a body by its events. An iteration that ends early would destroy the socket, and with it
 * the answer that says why.
 *
 * @throws {ProblemError} `content_too_large`, or `bad_request` if the sender goes away
 * @throws {TypeError} if the body was read before, because no event would come
 */
function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (request.readableEnded)
      throw new TypeError('the body was read before: mount Keystile before any body parser')
    if (request.destroyed) throw new ProblemError('bad_request', 'The body ended early')
    const body = createByteCollector()
    const onData = (chunk: Uint8Array): void => {
      body.add(chunk)
      if (body.size > maxBytes) {
        request.off('data', onData).pause()
        reject(tooLarge(maxBytes))
      }
    }
    request.on('data', onData)
    request.once('end', () => resolve(body.bytes()))
    // A request closes after its end as well: making an error for each would be slow.
    request.once('close', () => {
      if (!request.readableEnded) reject(new ProblemError('bad_request', 'The body ended early'))
    })
    request.once('error', () => reject(new ProblemError('bad_request', 'The body ended early')))
  })
}

/** Returns the headers of an answer, without its length, for Node and Fastify. */
export function nodeHeaders({
  status,
  headers,
  cookies = [],
}: HttpAnswer<AnswerBody>): OutgoingHttpHeaders {
  return {
    ...headers,
    ...noSniffing,
    ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
    // The rest of a body that is too large is not read, so the connection cannot be used again.
    ...(status === 413 && { connection: 'close' }),
  }
}

export function writeAnswer(response: ServerResponse, answer: HttpAnswer<AnswerBody>): void {
  const { status, body = '' } = answer
  // The app may have answered meanwhile, after a timeout for example. A second answer would throw.
  if (response.headersSent) return
  response
    .writeHead(status, { ...nodeHeaders(answer), 'content-length': Buffer.byteLength(body) })
    .end(body)
}
