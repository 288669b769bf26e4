import {
  isJsonObject,
  pathOf,
  type AnswerBody,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import type { Mountable } from 'keystile/web'
import { jsonAnswer } from '../../../http/answers.ts'
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
  const { path = '/docs' } = options
  if (!/^(\/[\w.~-]+)+$/.test(path))
    throw new TypeError('`path` must be a path such as /docs, without a slash at its end')

  // An `object` may be a function too, so the compiler needs the cast.
  const readDocument =
    typeof document === 'function' ? (document as () => object) : (): object => document
  return serveDocs(readDocument, { page: path, document: `${path}/openapi.json` })
}

/**
 * Serves the OpenAPI document of Keystile's own endpoints at `/openapi.json` below the issuer, and
 * Swagger UI at `/docs` below the issuer.
 */
export function createOwnDocs(document: object, issuer: string): Docs {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  return serveDocs(() => document, { page: `${base}/docs`, document: `${base}/openapi.json` })
}

/** Where the page and the document are. */
interface DocsPaths {
  readonly page: string
  readonly document: string
}

/** Swagger UI and the OpenAPI document that it shows. */
interface Docs extends Mountable {
  /** Returns the path of the page for all files of the page. Undefined for an unknown path. */
  routeOf(request: HttpRequestWithBody): string | undefined
}

function serveDocs(readDocument: () => object, paths: DocsPaths): Docs {
  let content: Content | undefined

  function find(path: string | undefined): HttpAnswer<AnswerBody> | undefined {
    if (path === undefined) return undefined
    const isPage = path === paths.page || path.startsWith(`${paths.page}/`)
    if (path !== paths.document && !isPage) return undefined

    content ??= makeContent(readDocument(), paths)
    return path === paths.document ? content.document : content.findFile(path)
  }

  return {
    async answer({ method, url }) {
      if (method !== 'GET' && method !== 'HEAD') return undefined

      const found = find(pathOf(url))
      return found && method === 'HEAD' ? { ...found, body: undefined } : found
    },
    routeOf({ url }) {
      const path = pathOf(url)
      if (find(path) === undefined) return undefined
      return path === paths.document ? paths.document : paths.page
    },
  }
}

/** What is made from the document at the first request. */
interface Content {
  readonly document: HttpAnswer<AnswerBody>
  /** Finds the page, or one of its files, by its path. */
  findFile(path: string): HttpAnswer<AnswerBody> | undefined
}

function makeContent(document: object, paths: DocsPaths): Content {
  const answer = jsonAnswer(200, document)
  return {
    // As bytes, so that they are encoded once and not for each request.
    document: { ...answer, body: Buffer.from(answer.body ?? '') },
    findFile: createSwaggerUi({
      path: paths.page,
      documentPath: paths.document,
      title: titleOf(document),
      connected: loginOrigins(document),
    }),
  }
}

/** Returns the title of an OpenAPI document. An app may pass a document without one. */
function titleOf(document: object): string {
  const { info } = document as { readonly info?: { readonly title?: unknown } }
  return typeof info?.title === 'string' ? info.title : 'API'
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
