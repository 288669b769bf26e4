import type { IncomingMessage } from 'node:http'
import { tooLarge, type HttpRequestWithBody } from '../../http/message.ts'

/**
 * Returns a function that reads the body of a request, even if a body parser of the app has already
 * read it. A body can be read only once. If a parser has read the body, the function serializes the
 * parsed value again. If no parser has read the body, the function calls `read`.
 *
 * Does NOT restore what the parser has dropped, such as the first of two JSON members with the same
 * name.
 */
export function readParsedBody(
  request: IncomingMessage,
  read: HttpRequestWithBody['body'],
): HttpRequestWithBody['body'] {
  return async (maxBytes) => {
    const { body: parsed } = request as { body?: unknown }
    if (!request.readableEnded || parsed === undefined) return read(maxBytes)

    const bytes = serialize(parsed, request.headers['content-type'] ?? '')
    if (bytes.length > maxBytes) throw tooLarge(maxBytes)
    return bytes
  }
}

function serialize(parsed: unknown, contentType: string): Uint8Array {
  if (parsed instanceof Uint8Array) return parsed
  if (typeof parsed === 'string') return Buffer.from(parsed)
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    return Buffer.from(formOf(parsed as object)) // parsers of forms return an object
  }
  return Buffer.from(JSON.stringify(parsed))
}

/**
 * Serializes a parsed form. Repeats a parameter whose value is a list or an object, so that the
 * endpoint refuses the request (RFC 6749 §3.2). Parsers create such values from `a=1&a=2`, `a[]=1`
 * and `a[b]=1`. This function cannot know which of the three was sent.
 */
function formOf(parsed: object): string {
  const pairs = Object.entries(parsed).flatMap(([name, value]: [string, unknown]) => {
    const values = typeof value === 'string' ? [value] : ['', '']
    return values.map((text) => [name, text])
  })
  return new URLSearchParams(pairs).toString()
}
