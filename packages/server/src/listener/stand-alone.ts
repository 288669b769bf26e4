import {
  pathOf,
  problemAnswer,
  ProblemError,
  type AnswerBody,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import { metricsType } from '../features/operations/metrics/metrics.ts'
import { changePasswordPath } from '../features/pages/account-pages/well-known-change-password.ts'
import { notFoundPage } from '../features/pages/start-page/not-found-page.ts'
import { startPage } from '../features/pages/start-page/start-page.ts'
import { prefersHtml } from '../http/accept.ts'
import { jsonAnswer } from '../http/answers.ts'
import type { Service } from './service.ts'

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
 * returns 404 for all other paths. Browsers get a page at the root and for unknown paths; other
 * clients get JSON there.
 *
 * @param parts.readMetrics returns the content of `/metrics`. If it is not given, the answer to
 *   `/metrics` is 404.
 * @param parts.program what an operator types to run a command of this installation
 */
export function createStandAlone(
  { keystile, options, pages, hasAdministrator, findUnreadiness, routeOf }: Service,
  {
    readMetrics,
    program = 'npx keystile',
  }: {
    readonly readMetrics?: (() => Promise<string>) | undefined
    readonly program?: string | undefined
  } = {},
): StandAlone {
  const { base } = pages.brand
  const startPaths = new Set(['/', `${base}/`, base])
  const namedPaths = new Set([
    ...startPaths,
    '/healthz',
    '/readyz',
    changePasswordPath,
    ...(readMetrics ? ['/metrics'] : []),
  ])
  const hasMetrics = readMetrics !== undefined
  const surroundings = { pages, hasMetrics, hasAdministrator, program }

  async function answerOwn(path: string): Promise<HttpAnswer | undefined> {
    switch (path) {
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

  /** Answers the root, and unknown paths. */
  async function answerOther(path: string, request: HttpRequestWithBody): Promise<HttpAnswer> {
    if (!prefersHtml(request.headers.get('accept'))) return notFound
    return startPaths.has(path)
      ? startPage(request, options, surroundings)
      : notFoundPage(request, pages)
  }

  return {
    async answer(request) {
      const answered = await keystile.answer(request)
      if (answered) return answered

      const isRead = request.method === 'GET' || request.method === 'HEAD'
      const path = isRead ? pathOf(request.url) : undefined
      if (path === undefined) return notFound

      // The standard puts this path at the root of the host, and the route is below the issuer.
      if (path === changePasswordPath && base !== '') {
        const found = await keystile.answer({ ...request, url: `${base}${path}` })
        if (found) return found
      }
      const own = await answerOwn(path)
      if (own) return own

      // The answer depends on `Accept` (RFC 9110 §12.5.5).
      const other = await answerOther(path, request)
      return { ...other, headers: { ...other.headers, vary: 'Accept' } }
    },
    routeOf(request) {
      const found = routeOf(request)
      if (found !== undefined) return found

      const path = pathOf(request.url)
      return path !== undefined && namedPaths.has(path) ? path : '-'
    },
  }
}

export function metricsAnswer(body: string): HttpAnswer {
  return {
    status: 200,
    headers: { 'content-type': metricsType, 'cache-control': 'no-store' },
    body,
  }
}
