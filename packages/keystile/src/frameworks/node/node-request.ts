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

/** A node request in our words. */
export function readNodeRequest(request: IncomingMessage): HttpRequestWithBody {
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    // An adapter to a serverless platform may have no socket.
    remoteAddress: (request.socket as IncomingMessage['socket'] | undefined)?.remoteAddress,
    headers: {
      get: (name) => (name === 'authorization' ? authorizationOf(request) : request.headers[name]?.toString()),
    },
    body: (maxBytes) => readBody(request, maxBytes),
  }
}

/** Node keeps the first of two `Authorization` fields and drops the second unseen: join them, as other servers do. */
function authorizationOf(request: IncomingMessage): string | undefined {
  const { rawHeaders } = request
  // Made by an adapter to a serverless platform: there are no bytes to look at.
  if (rawHeaders.length === 0) return request.headers.authorization
  let found: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.length === 13 && rawHeaders[i]!.toLowerCase() === 'authorization') {
      found = found === undefined ? rawHeaders[i + 1]! : `${found}, ${rawHeaders[i + 1]!}`
    }
  }
  return found
}

/** What `guard.check` takes: a node request, or anything with a method, a URL and `headers.get`. */
export function readCheckedRequest(request: IncomingMessage | HttpRequest): HttpRequest {
  return 'rawHeaders' in request ? readNodeRequest(request) : request
}

/**
 * Listens instead of iterating: leaving an iteration early destroys the socket, and with it the answer that says why.
 *
 * @throws {ProblemError} `content_too_large`, or `bad_request` when the sender goes away
 * @throws {TypeError} when the body was read before: there will be no event to wait for
 */
function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (request.readableEnded) throw new TypeError('the body was read before: mount Keystile before any body parser')
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
    // It closes after each end as well: an error, with its stack, is made only where somebody hears of it.
    request.once('close', () => {
      if (!request.readableEnded) reject(new ProblemError('bad_request', 'The body ended early'))
    })
    request.once('error', () => reject(new ProblemError('bad_request', 'The body ended early')))
  })
}

/** The headers of an answer as Node and Fastify take them, but for its length. */
export function nodeHeaders({ status, headers, cookies = [] }: HttpAnswer<AnswerBody>): OutgoingHttpHeaders {
  return {
    ...headers,
    ...noSniffing,
    ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
    // What is left of a body that was too large is not read, so the connection cannot serve another request.
    ...(status === 413 && { connection: 'close' }),
  }
}

export function writeAnswer(response: ServerResponse, answer: HttpAnswer<AnswerBody>): void {
  const { status, body = '' } = answer
  // Somebody has answered while we waited, because of a time-out say. To try again would throw where nobody catches.
  if (response.headersSent) return
  response.writeHead(status, { ...nodeHeaders(answer), 'content-length': Buffer.byteLength(body) }).end(body)
}
