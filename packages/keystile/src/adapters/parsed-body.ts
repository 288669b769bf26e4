import type { IncomingMessage } from 'node:http'
import { tooLarge, type HttpRequestWithBody } from '../http/message.ts'

/**
 * A body parser before us has read the body, and it can be read only once: then what the parser made of it is written
 * out again. A body that nobody has read is read as it is.
 */
export function readParsedBody(
  request: IncomingMessage,
  read: HttpRequestWithBody['body'],
): HttpRequestWithBody['body'] {
  return async (maxBytes) => {
    const { body: parsed } = request as { body?: unknown }
    if (!request.readableEnded || parsed === undefined) return read(maxBytes)
    const bytes = writeOut(parsed, request.headers['content-type'] ?? '')
    if (bytes.length > maxBytes) throw tooLarge(maxBytes)
    return bytes
  }
}

function writeOut(parsed: unknown, contentType: string): Uint8Array {
  if (parsed instanceof Uint8Array) return parsed
  if (typeof parsed === 'string') return Buffer.from(parsed)
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) return Buffer.from(formOf(parsed as object))
  return Buffer.from(JSON.stringify(parsed))
}

/** A name that appeared twice appears twice again, for it refuses the request. What only a nested form can say is dropped. */
function formOf(parsed: object): string {
  const pairs = Object.entries(parsed).flatMap(([name, value]: [string, unknown]) =>
    (Array.isArray(value) ? value : [value]).map((item) => [name, typeof item === 'string' ? item : '']),
  )
  return new URLSearchParams(pairs).toString()
}
