import {
  pathOf,
  problemAnswer,
  ProblemError,
  type AnswerBody,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import { metricsType } from '../features/metrics/metrics.ts'
import { jsonAnswer } from '../http/route.ts'
import type { Service } from './service.ts'

/** The endpoints of the stand-alone server. */
export interface StandAlone {
  answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody>>
  /**
   * Returns the pattern of a request's route for metrics and log, or `-` for an unknown path. An
   * unknown path is not logged, because it may contain a secret.
   */
  routeOf(request: HttpRequestWithBody): string
}

const notFound = problemAnswer(new ProblemError('not_found', 'There is nothing here'))

/**
 * Creates the function that answers requests to Keystile's endpoints, `/healthz` and `/readyz`. It
 * returns 404 for all other paths.
 *
 * @param readMetrics returns the content of `/metrics`. If it is not given, the answer to
 *   `/metrics` is 404.
 */
export function createStandAlone(
  { keystile, findUnreadiness, routeOf }: Service,
  readMetrics?: () => Promise<string>,
): StandAlone {
  const own = new Set(['/healthz', '/readyz'])
  if (readMetrics) own.add('/metrics')

  async function answerRead(path: string): Promise<HttpAnswer | undefined> {
    switch (own.has(path) && path) {
      case '/healthz':
        return jsonAnswer(200, { status: 'ok' })
      case '/readyz': {
        const reasons = await findUnreadiness()
        return reasons.length === 0
          ? jsonAnswer(200, { status: 'ready' })
          : jsonAnswer(503, { status: reasons.join('; ') }, { 'retry-after': '1' })
      }
      case '/metrics':
        return readMetrics && metricsAnswer(await readMetrics())
      default:
        return undefined
    }
  }

  return {
    async answer(request) {
      const answered = await keystile.answer(request)
      if (answered) return answered

      const isRead = request.method === 'GET' || request.method === 'HEAD'
      const path = isRead ? pathOf(request.url) : undefined
      return (path === undefined ? undefined : await answerRead(path)) ?? notFound
    },
    routeOf(request) {
      const found = routeOf(request)
      if (found !== undefined) return found

      const path = pathOf(request.url)
      return path !== undefined && own.has(path) ? path : '-'
    },
  }
}

/** Returns the answer with the content of `/metrics`. */
export function metricsAnswer(body: string): HttpAnswer {
  return {
    status: 200,
    headers: { 'content-type': metricsType, 'cache-control': 'no-store' },
    body,
  }
}
