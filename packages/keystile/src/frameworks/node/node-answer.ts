// Writes answers to node:http responses. The adapters of Express, Fastify and Nest use it too.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import {
  cancelStream,
  noSniffing,
  type AnswerBody,
  type AnswerStream,
  type HttpAnswer,
} from '../../http/message.ts'

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
