// Reads node:http requests and writes answers. The adapters of Express and Fastify use it too.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { createByteCollector } from '../../base/bytes.ts'
import { ProblemError } from '../../base/errors.ts'
import {
  cancelStream,
  noSniffing,
  peerOf,
  tooLarge,
  type AnswerBody,
  type AnswerStream,
  type HttpAnswer,
  type HttpRequest,
  type HttpRequestWithBody,
} from '../../http/message.ts'

/**
 * Reads a node:http request. The request of a server always has a method and a URL, although their
 * types are optional.
 */
export function readNodeRequest(request: IncomingMessage): HttpRequestWithBody {
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    // A serverless platform may pass a request without a socket.
    remoteAddress: peerOf(request.socket),
    headers: headersOf(request),
    body: (maxBytes) => readBody(request, maxBytes),
  }
}

export function readNodeHead(request: IncomingMessage): HttpRequest {
  return { method: request.method ?? '', url: request.url ?? '', headers: headersOf(request) }
}

function headersOf(request: IncomingMessage): HttpRequest['headers'] {
  return {
    get: (name) =>
      name === 'authorization' ? authorizationOf(request) : request.headers[name]?.toString(),
  }
}

/**
 * Returns the `Authorization` header. If a request has several such headers, joins them with a
 * comma, as other servers do, so that the guard refuses the request. Node itself keeps the first
 * header and silently drops the others. A proxy in front of the app could therefore check one token
 * while the guard checks a different one.
 */
function authorizationOf(request: IncomingMessage): string | undefined {
  const { rawHeaders } = request
  // A serverless platform may pass a request without raw headers.
  if (rawHeaders.length === 0) return request.headers.authorization

  let found: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    // The length is a cheap test that skips nearly all other fields.
    if (name?.length === 13 && name.toLowerCase() === 'authorization') {
      const value = rawHeaders[i + 1]
      found = found === undefined ? value : `${found}, ${value}`
    }
  }
  return found
}

export function readCheckedRequest(request: IncomingMessage | HttpRequest): HttpRequest {
  return 'rawHeaders' in request ? readNodeHead(request) : request
}

/**
 * Reads a body through the events of the request. It does not use `for await`: if such a loop stops
 * early, it destroys the socket, and the sender would never get the answer 413.
 *
 * @throws {ProblemError} `content_too_large`, or `bad_request` if the sender disconnects
 * @throws {TypeError} if the body was already read: no event would come, and the request would hang
 */
function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (request.readableEnded) {
      throw new TypeError('the body was already read: mount Keystile before any body parser')
    }
    const endedEarly = (): void => reject(new ProblemError('bad_request', 'The body ended early'))
    if (request.destroyed) endedEarly()

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
    // `close` also follows a normal end. The error is created only if the body is incomplete,
    // because creating an error for each request would be slow.
    request.once('close', () => {
      if (!request.readableEnded) endedEarly()
    })
    request.once('error', endedEarly)
  })
}

/** Returns the headers of an answer for Node and Fastify, without `content-length`. */
export function nodeHeaders({
  status,
  headers,
  cookies = [],
}: HttpAnswer<AnswerBody>): OutgoingHttpHeaders {
  return {
    ...headers,
    ...noSniffing,
    ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
    // The rest of a body that is too large stays unread, so the connection cannot be reused.
    ...(status === 413 && { connection: 'close' }),
  }
}

/** Writes an answer to a node:http response. Does nothing if the app has already answered. */
export function writeAnswer(response: ServerResponse, answer: HttpAnswer<AnswerBody>): void {
  const { status, body = '', stream } = answer
  // The app may have answered in the meantime, for example after a timeout. A second answer throws.
  if (response.headersSent) {
    cancelStream(stream)
    return
  }

  const headers = nodeHeaders(answer)
  if (stream) {
    // The connection ends with the stream, so that a server which stops need not wait for it.
    response.writeHead(status, { ...headers, connection: 'close' }).flushHeaders()
    void writeStream(response, stream)
  } else {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
  }
}

/**
 * Writes the pieces of a stream, each when the peer has room for it. Cancels the stream when the
 * connection ends. If the HTTP server has stopped listening, ends the answer at the next piece:
 * otherwise `server.close()` would wait for the stream forever.
 */
async function writeStream(response: ServerResponse, stream: AnswerStream): Promise<void> {
  const reader = stream.getReader()
  const wasListening = isListening(response)
  if (response.destroyed) cancelStream(reader)
  else response.once('close', () => cancelStream(reader))
  // A stream that fails cuts the connection, even while the peer has no room for a piece.
  reader.closed.catch(() => response.destroy())

  for (;;) {
    const piece = await reader.read().catch(() => undefined)
    if (!piece || response.destroyed) return

    if (piece.done || (wasListening && !isListening(response))) {
      response.end(piece.value)
      return
    }
    if (!response.write(piece.value)) await untilRoom(response)
  }
}

/** Resolves when the peer has room for more bytes. Never resolves if the connection ends before. */
function untilRoom(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve)
  })
}

/** Whether the HTTP server accepts connections. True if the platform does not tell. */
function isListening({ req }: ServerResponse): boolean {
  const { server } = (req.socket ?? {}) as { readonly server?: { readonly listening?: boolean } }
  return server?.listening !== false
}
