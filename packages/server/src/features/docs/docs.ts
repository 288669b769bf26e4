import type { Mountable } from 'keystile/web'
import { isJsonObject, pathOf, type AnswerBody, type HttpAnswer } from 'keystile/internal'
import { jsonAnswer } from '../../http/route.ts'
import { createPages } from './swagger-ui.ts'

/**
 * Serves Swagger UI for an app's own API. Use it with `mount(docs(document))` in any framework. The
 * files come from this package, not from a CDN. The page is at `/docs`, and the OpenAPI document is
 * at `/docs/openapi.json`. Does NOT protect the page: anyone who can reach the app can read it.
 *
 * @param document the OpenAPI document, or a function that returns it. The function is called at
 *   the first request, when all routes are registered
 * @param options.path the path of the page, without a slash at its end. Default: `/docs`
 * @throws {TypeError} if `path` is not a path such as `/docs`
 */
export function docs(
  document: object | (() => object),
  options: { readonly path?: string } = {},
): Mountable {
  const { path: base = '/docs' } = options
  if (!/^(\/[\w.~-]+)+$/.test(base))
    throw new TypeError('`path` must be a path such as /docs, without a slash at its end')
  const documentPath = `${base}/openapi.json`

  let made:
    | {
        readonly answer: HttpAnswer
        readonly pages: (path: string) => HttpAnswer<AnswerBody> | undefined
      }
    | undefined
  return {
    async answer(request) {
      const path = pathOf(request.url)
      const isOurs = path !== undefined && (path === base || path.startsWith(`${base}/`))
      if (!isOurs || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined

      made ??= make(typeof document === 'function' ? (document as () => object)() : document)
      const found = path === documentPath ? made.answer : made.pages(path)
      return found && request.method === 'HEAD' ? { ...found, body: undefined } : found
    },
  }

  function make(whole: object): NonNullable<typeof made> {
    const { info } = whole as { readonly info?: { readonly title?: unknown } }
    const title = typeof info?.title === 'string' ? info.title : 'API'
    return {
      answer: jsonAnswer(200, whole),
      pages: createPages({ path: base, documentPath, title, connected: loginOrigins(whole) }),
    }
  }
}

/**
 * Returns the origins of the token endpoints. The button Authorize sends its requests there, so the
 * content security policy must allow them.
 */
function loginOrigins(document: object): readonly string[] {
  const { components } = document as { readonly components?: { readonly securitySchemes?: object } }
  const origins = Object.values(components?.securitySchemes ?? {})
    .filter(isJsonObject)
    .flatMap(({ flows }) => Object.values(flows ?? {}))
    .filter(isJsonObject)
    .flatMap(({ tokenUrl }) =>
      typeof tokenUrl === 'string' && URL.canParse(tokenUrl) ? new URL(tokenUrl).origin : [],
    )
  return [...new Set(origins)]
}
