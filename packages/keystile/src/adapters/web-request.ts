import { ProblemError } from '../base/errors.ts'
import type { HttpRequestWithBody } from '../http/message.ts'

/** A web `Request` in our words. */
export function readWebRequest(request: Request, remoteAddress?: string): HttpRequestWithBody {
  return {
    method: request.method,
    url: request.url,
    headers: request.headers,
    remoteAddress,
    body: (maxBytes) => collect(request.body ?? [], maxBytes),
  }
}

/** Reads chunks until there are too many. */
async function collect(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge(maxBytes)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

export function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError('content_too_large', `The body may have ${maxBytes} bytes at most`)
}
