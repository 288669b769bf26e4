// Reads node:http requests. The adapters of Express, Fastify and Nest use it too.
import type { IncomingMessage } from 'node:http'
import { createByteCollector } from '../../base/byte-collector.ts'
import { ProblemError } from '../../base/errors.ts'
import { tooLarge, type HttpRequest, type HttpRequestWithBody } from '../../http/message.ts'
import { peerOf } from '../../http/peer.ts'

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

/** Reads a request without its address and its body, which a guard does not need. */
export function readNodeHead(request: IncomingMessage): HttpRequest {
  return { method: request.method ?? '', url: request.url ?? '', headers: headersOf(request) }
}

/** Reads the argument of `guard.check`. */
export function readCheckedRequest(request: IncomingMessage | HttpRequest): HttpRequest {
  return 'rawHeaders' in request ? readNodeHead(request) : request
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
