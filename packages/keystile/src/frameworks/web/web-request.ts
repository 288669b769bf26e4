import { createByteCollector } from '../../base/bytes.ts'
import { ProblemError } from '../../base/errors.ts'
import { tooLarge, type HttpRequestWithBody } from '../../http/message.ts'

/** A web `Request` in our words; it does not tell who sent it. */
export function readWebRequest(request: Request, remoteAddress?: string): HttpRequestWithBody {
  return {
    method: request.method,
    url: request.url,
    remoteAddress,
    headers: request.headers,
    body: (maxBytes) => collect(request.body ?? [], maxBytes),
  }
}

/** Reads chunks until there are too many. */
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
