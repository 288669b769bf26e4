import { pathOf, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'

type AnswerRequest = (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined>

/** A page that was answered may ask again this long without a preflight, though its origin be no longer listed. */
const preflightSeconds = 600

/**
 * Lets pages of the listed origins, and of no others, read what our endpoints answer; all are named alike, the public
 * documents too, for a page that may not ask for a token has no use for them. With the cookie they may ask where it is
 * sent, and nowhere else. An origin that is not listed gets no header of CORS, and is otherwise answered as ever: this does
 * NOT refuse a request, it is the browser that does.
 *
 * @param cookiePath where the cookie of a session is sent
 * @param origins as browsers write them, never `*` or `null`
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function allowOrigins(
  answer: AnswerRequest,
  { cookiePath, origins }: { readonly cookiePath: string; readonly origins: readonly string[] },
): AnswerRequest {
  if (origins.length === 0) return answer
  return async (request) => {
    const answered = await answer(request)
    if (!answered) return undefined
    // Said to all, or a cache would give one origin what another was answered.
    const varied = { ...answered, headers: { ...answered.headers, vary: 'Origin' } }
    const origin = request.headers.get('origin') ?? ''
    if (!origins.includes(origin)) return varied
    const path = pathOf(request.url)!
    const allowed = {
      'access-control-allow-origin': origin,
      ...((path === cookiePath || path.startsWith(`${cookiePath}/`)) && { 'access-control-allow-credentials': 'true' }),
    }
    if (request.method === 'OPTIONS' && request.headers.get('access-control-request-method')) {
      // No route has this method, so what is answered is 405, with the methods that there are.
      return {
        status: 204,
        headers: {
          vary: 'Origin',
          ...allowed,
          'access-control-allow-methods': answered.headers['allow']!,
          'access-control-allow-headers': 'Authorization, Content-Type',
          'access-control-max-age': String(preflightSeconds),
        },
      }
    }
    const exposed = { 'access-control-expose-headers': 'Retry-After, WWW-Authenticate, Location' }
    return { ...varied, headers: { ...varied.headers, ...allowed, ...exposed } }
  }
}
