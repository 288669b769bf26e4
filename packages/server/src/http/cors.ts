import { pathOf, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'

type AnswerRequest = (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined>

/** How long a browser may remember a preflight, even when its origin is no longer listed. */
const preflightSeconds = 600

/**
 * Lets pages of the listed origins read the answers of our endpoints. The public documents are no
 * exception: a page that may not ask for a token has no use for them. Requests with the cookie are
 * allowed only where the cookie is sent. Another origin gets the same answer without CORS headers:
 * this does NOT refuse a request, the browser does.
 *
 * @param cookiePath the path that the cookie of a session is sent to
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

    // Every answer has it, or a cache would give one origin the answer for another.
    const varied = { ...answered, headers: { ...answered.headers, vary: 'Origin' } }
    const origin = request.headers.get('origin')
    if (!origin || !origins.includes(origin)) return varied

    const allowed = {
      'access-control-allow-origin': origin,
      ...(isBelow(cookiePath, request) && { 'access-control-allow-credentials': 'true' }),
    }
    // No route has the method OPTIONS: the answer is 405, and `allow` has the methods of the path.
    const methods = answered.headers['allow']
    if (
      request.method === 'OPTIONS' &&
      methods &&
      request.headers.get('access-control-request-method')
    ) {
      return {
        status: 204,
        headers: {
          vary: 'Origin',
          ...allowed,
          'access-control-allow-methods': methods,
          'access-control-allow-headers': 'Authorization, Content-Type',
          'access-control-max-age': String(preflightSeconds),
        },
      }
    }

    const exposed = { 'access-control-expose-headers': 'Retry-After, WWW-Authenticate, Location' }
    return { ...varied, headers: { ...varied.headers, ...allowed, ...exposed } }
  }
}

function isBelow(cookiePath: string, { url }: HttpRequestWithBody): boolean {
  const path = pathOf(url)
  return path !== undefined && (path === cookiePath || path.startsWith(`${cookiePath}/`))
}
