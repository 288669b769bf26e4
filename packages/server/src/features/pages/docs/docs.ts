import {
  isJsonObject,
  pathOf,
  type AnswerBody,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import type { Mountable } from 'keystile/web'
import { jsonAnswer } from '../../../http/route.ts'
import { createSwaggerUi } from './swagger-ui.ts'

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
  return serveDocs(document, { path: base, documentPath: `${base}/openapi.json` })
}

/** Swagger UI and the OpenAPI document that it shows. */
interface Docs extends Mountable {
  /** Returns the path of the page for all files of the page. Undefined for an unknown path. */
  routeOf(request: HttpRequestWithBody): string | undefined
}

/**
 * Serves the OpenAPI document of Keystile's own endpoints at `/openapi.json` below the issuer, and
 * Swagger UI at `/docs` below the issuer.
 */
export function createOwnDocs(document: object, issuer: string): Docs {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  return serveDocs(document, { path: `${base}/docs`, documentPath: `${base}/openapi.json` })
}

function serveDocs(
  document: object | (() => object),
  { path: base, documentPath }: { readonly path: string; readonly documentPath: string },
): Docs {
  let made:
    | {
        readonly answer: HttpAnswer<AnswerBody>
        readonly pages: (path: string) => HttpAnswer<AnswerBody> | undefined
      }
    | undefined
  return {
    async answer({ method, url }) {
      if (method !== 'GET' && method !== 'HEAD') return undefined

      const found = find(pathOf(url))
      return found && method === 'HEAD' ? { ...found, body: undefined } : found
    },
    routeOf({ url }) {
      const path = pathOf(url)
      if (find(path) === undefined) return undefined
      return path === documentPath ? documentPath : base
    },
  }

  function find(path: string | undefined): HttpAnswer<AnswerBody> | undefined {
    if (path !== documentPath && path !== base && !path?.startsWith(`${base}/`)) return undefined

    made ??= make(typeof document === 'function' ? (document as () => object)() : document)
    return path === documentPath ? made.answer : made.pages(path)
  }

  function make(whole: object): NonNullable<typeof made> {
    const { info } = whole as { readonly info?: { readonly title?: unknown } }
    const title = typeof info?.title === 'string' ? info.title : 'API'
    const written = jsonAnswer(200, whole)
    return {
      answer: { ...written, body: Buffer.from(written.body ?? '') },
      pages: createSwaggerUi({ path: base, documentPath, title, connected: loginOrigins(whole) }),
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
