// Reads parts of a request.
import { ProblemError, type HttpRequestWithBody } from 'keystile/internal'

/**
 * The size of the longest body that the server reads, in bytes. All valid bodies are shorter. If a
 * body is longer, the server refuses it before it has read the whole body.
 */
export const maxBodyBytes = 65_536

/** Returns the media type of the body in lower case, without parameters such as `charset`. */
export function mediaTypeOf({ headers }: HttpRequestWithBody): string | undefined {
  return headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
}

/** Returns the parameters of the query. For a repeated name, `get` returns the first value. */
export function queryOf(request: HttpRequestWithBody): URLSearchParams {
  const start = request.url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : request.url.slice(start + 1).split('#')[0])
}

/** Returns the refusal of a parameter of the query. */
export function wrongQuery(name: string, msg: string): ProblemError {
  return new ProblemError('unprocessable_content', `${name}: ${msg}`, {
    errors: [{ loc: ['query', name], msg, type: 'value_error' }],
  })
}
