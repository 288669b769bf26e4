import {
  pathOf,
  problemAnswer,
  ProblemError,
  type AnswerBody,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import { createPages } from '../features/docs/swagger-ui.ts'
import { metricsType } from '../features/metrics/metrics.ts'
import { jsonAnswer } from '../http/route.ts'
import type { Service } from './service.ts'

/** A request's route, as it is told to whoever counts and logs, and the answer to it. */
export interface StandAlone {
  answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody>>
  /** The pattern of a route of ours, `-` for anything else: what was sent as a path is not repeated. */
  routeOf(request: HttpRequestWithBody): string
}

const docsPath = '/docs'
const notFound = problemAnswer(new ProblemError('not_found', 'There is nothing here'))

/**
 * What the stand-alone server answers: Keystile's endpoints, `/healthz`, `/readyz`, `/openapi.json` and `/docs`, and 404 to
 * anything else.
 *
 * @param readMetrics where `/metrics` is answered as well, what it says
 */
export function createStandAlone(
  { keystile, document, findUnreadiness, routeOf }: Service,
  readMetrics?: () => Promise<string>,
): StandAlone {
  const docs = createPages({ path: docsPath, documentPath: '/openapi.json', title: 'Keystile' })
  const written = jsonAnswer(200, document)
  const openapi = { ...written, body: Buffer.from(written.body ?? '') }
  const own = new Set(['/healthz', '/readyz', '/openapi.json', ...(readMetrics ? ['/metrics'] : [])])

  async function answerRead(path: string): Promise<HttpAnswer<AnswerBody> | undefined> {
    switch (own.has(path) && path) {
      case '/healthz':
        return jsonAnswer(200, { status: 'ok' })
      case '/readyz': {
        const reasons = await findUnreadiness()
        return reasons.length === 0
          ? jsonAnswer(200, { status: 'ready' })
          : jsonAnswer(503, { status: reasons.join('; ') }, { 'retry-after': '1' })
      }
      case '/openapi.json':
        return openapi
      case '/metrics':
        return metricsAnswer(await readMetrics!())
      default:
        return docs(path)
    }
  }

  return {
    async answer(request) {
      const answered = await keystile.answer(request)
      if (answered) return answered
      const isRead = request.method === 'GET' || request.method === 'HEAD'
      return (isRead ? await answerRead(pathOf(request.url) ?? '') : undefined) ?? notFound
    },
    routeOf(request) {
      const found = routeOf(request)
      if (found !== undefined) return found
      const path = pathOf(request.url) ?? ''
      if (own.has(path)) return path
      return docs(path) ? docsPath : '-'
    },
  }
}

export function metricsAnswer(body: string): HttpAnswer {
  return { status: 200, headers: { 'content-type': metricsType, 'cache-control': 'no-store' }, body }
}
