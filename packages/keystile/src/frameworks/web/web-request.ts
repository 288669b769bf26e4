import { createByteCollector } from '../../base/byte-collector.ts'
import { ProblemError } from '../../base/errors.ts'
import { tooLarge, type HttpRequestWithBody } from '../../http/message.ts'

/**
 * Reads a web `Request`. A `Request` does not contain the IP address of its sender, so the caller
 * passes the address if the platform knows it.
 */
export function readWebRequest(request: Request, remoteAddress?: string): HttpRequestWithBody {
  return {
    method: request.method,
    url: request.url,
    remoteAddress,
    headers: request.headers,
    body: (maxBytes) => collect(request.body ?? [], maxBytes),
  }
}

/**
 * Collects the chunks of a body. Stops at the limit, so that a huge body cannot fill the memory.
 *
 * @throws {ProblemError} `content_too_large`, or `bad_request` if the body ends early
 */
async function collect(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const body = createByteCollector()

  try {
    for await (const chunk of chunks) {
      body.add(chunk)
      if (body.size > maxBytes) throw tooLarge(maxBytes)
    }
  } catch (error) {
    throw error instanceof ProblemError
      ? error
      : new ProblemError('bad_request', 'The body ended early', { cause: error })
  }

  return body.bytes()
}
