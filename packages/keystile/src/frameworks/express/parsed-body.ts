import type { IncomingMessage } from 'node:http'
import { tooLarge, type HttpRequestWithBody } from '../../http/message.ts'

/**
 * Reads a body that a parser before us may have read: it can be read only once, so what the parser
 * made of it is written out again. A body that no parser has read is read as it is.
 *
 * Does NOT see what the parser has dropped: of two JSON members with one name, the first.
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
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType))
    return Buffer.from(formOf(parsed as object))
  return Buffer.from(JSON.stringify(parsed))
}

/**
 * A list or an object is written twice, which refuses the request as a repeated parameter does (RFC
 * 6749 §3.2): parsers make one of `a=1&a=2`, but also of `a[]=1` and `a[b]=1`, and it cannot be
 * told which was sent.
 */
function formOf(parsed: object): string {
  const pairs = Object.entries(parsed).flatMap(([name, value]: [string, unknown]) => {
    const values = typeof value === 'string' ? [value] : ['', '']
    return values.map((text) => [name, text])
  })
  return new URLSearchParams(pairs).toString()
}
