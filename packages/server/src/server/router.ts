import { pathOf, ProblemError, type HttpAnswer, type HttpRequestWithBody, type Logger } from 'keystile/internal'
import { randomId } from 'keystile/internal'
import { refusalAnswer } from '../http/refusal.ts'
import type { Route } from '../http/route.ts'

/**
 * Puts routes together: a request is answered when its path is exactly one of theirs, whatever its method; any other
 * request is not ours. Paths are compared as they were sent, neither decoded nor cleaned, so no spelling of a path
 * reaches a route by another way. Whatever a route throws ends as an answer.
 */
export function createRouter(
  routes: readonly Route[],
  options: { readonly issuer: string; readonly logger: Logger },
): (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined> {
  const { issuer, logger } = options
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const byPath = new Map<string, readonly Route[]>()
  for (const route of routes) {
    const path = route.below === 'issuer' ? `${base}${route.path}` : route.path
    byPath.set(path, [...(byPath.get(path) ?? []), route])
  }

  async function answer(request: HttpRequestWithBody, found: readonly Route[]): Promise<HttpAnswer> {
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = found.find((candidate) => candidate.method === method)
    const { refusals } = route ?? found[0]!
    try {
      if (route) return await route.handle(request)
      const allow = found.map((candidate) => candidate.method).join(', ')
      const refused = refusalAnswer(
        new ProblemError('method_not_allowed', `The method must be ${allow}`),
        refusals,
        issuer,
      )!
      return { ...refused, headers: { ...refused.headers, allow } }
    } catch (error) {
      const refused = refusalAnswer(error, refusals, issuer)
      const { reason, status = 500 } = error as { reason?: string; status?: number }
      if (refused && refused.status < 500) {
        logger.debug({ path: pathOf(request.url), status, reason }, 'refused')
        return refused
      }
      // The id joins what the caller saw with what is written here.
      const incident = randomId()
      logger.error({ err: error, path: pathOf(request.url), incident }, refused ? 'unavailable' : 'failed')
      return (
        refused ??
        refusalAnswer(
          new ProblemError('internal_server_error', `Internal error, incident ${incident}`),
          refusals,
          issuer,
        )!
      )
    }
  }

  return async (request) => {
    const path = pathOf(request.url)
    const found = path === undefined ? undefined : byPath.get(path)
    if (!found) return undefined
    const answered = await answer(request, found)
    return request.method === 'HEAD' ? { ...answered, body: undefined } : answered
  }
}
