import { pathOf, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'

type AnswerRequest = (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined>

/**
 * How long a browser may cache the answer to a preflight. During this time, an origin that was
 * removed from the list can still send requests.
 */
const preflightSeconds = 600

/**
 * Adds headers to all answers, also to the public documents, so that pages of the listed origins
 * can read the answers. Only HTML gets none: those pages are for people. Allows requests with
 * cookies only below `cookiePath`. Does NOT refuse requests from other origins: the answer to such
 * a request has no CORS headers, so the browser hides the answer from the page.
 *
 * @param cookiePath the path of the session cookie
 * @param origins the listed origins, as browsers send them; `*` and `null` are not allowed
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

    // Every answer has this header. Otherwise a cache could give the answer for one origin to
    // another origin.
    const vary = [answered.headers['vary'] ?? [], 'Origin'].flat().join(', ')
    const origin = request.headers.get('origin')
    const isPage = answered.headers['content-type']?.startsWith('text/html')
    if (!origin || !origins.includes(origin) || isPage)
      return { ...answered, headers: { ...answered.headers, vary } }

    const allowed = {
      vary,
      'access-control-allow-origin': origin,
      ...(isBelow(cookiePath, request) && { 'access-control-allow-credentials': 'true' }),
    }
    // No route has the method OPTIONS. So the router has answered with 405 and an `allow` header,
    // which lists the methods of the path.
    const methods = answered.headers['allow']
    return methods && isPreflight(request)
      ? preflightAnswer(methods, allowed)
      : { ...answered, headers: { ...answered.headers, ...allowed, ...exposed } }
  }
}

/** Whether a browser asks if a page may send a request. */
function isPreflight({ method, headers }: HttpRequestWithBody): boolean {
  return method === 'OPTIONS' && Boolean(headers.get('access-control-request-method'))
}

function preflightAnswer(methods: string, allowed: HttpAnswer['headers']): HttpAnswer {
  return {
    status: 204,
    headers: {
      ...allowed,
      'access-control-allow-methods': methods,
      'access-control-allow-headers': 'Authorization, Content-Type',
      'access-control-max-age': String(preflightSeconds),
    },
  }
}

/** The headers of answers that pages may read besides those that the standard allows. */
const exposed = { 'access-control-expose-headers': 'Retry-After, WWW-Authenticate, Location' }

function isBelow(cookiePath: string, { url }: HttpRequestWithBody): boolean {
  const path = pathOf(url)
  return path !== undefined && (path === cookiePath || path.startsWith(`${cookiePath}/`))
}
