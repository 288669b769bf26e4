// `secure()` adds the demands of an app's guards to the app's OpenAPI document. For each operation,
// it asks the router of the app (`app-routes.ts`, frameworks/*/routes.ts) which functions run for a
// sample path (`operation-route.ts`, `sample-paths.ts`), and finds the marks of guards among them
// (guard/guard-mark.ts). `security.ts` writes what these guards demand, and `refusals.ts` the
// answers 401, 403 and so on. In Nest, @nestjs/swagger tells which method an operation describes
// (`secure-nest.ts`). `describe.ts` makes a document for an app that has none.
import { asJsonObject, isJsonObject, type JsonObject } from '../base/json.ts'
import { methods } from '../frameworks/routes.ts'
import { routesOf, type SecuredApp } from './app-routes.ts'
import { getRoute } from './operation-route.ts'
import { refusalSchemas } from './refusals.ts'
import { resolve } from './resolve.ts'
import {
  addSchemes,
  requireOwnSchemes,
  securedOperation,
  withoutOwnSchemes,
  type OwnSchemes,
} from './security.ts'

export interface SecureOptions {
  /**
   * The paths to leave unchanged, for example because a different server answers them. Write a path
   * as the document writes it, such as `/items/{id}`. `describe()` also takes a path as the app
   * writes it, such as `/items/:id`. A `*` at the end stands for any characters. Exception: `/*`
   * stands only for the route `/*`.
   */
  readonly ignore?: readonly string[]
  /**
   * The OpenAPI Security Scheme Object to write into the document. Set it if the issuer is not
   * Keystile. Default: OAuth 2 with the password flow at `/token` of the issuer, so that Swagger UI
   * can log in.
   */
  readonly securityScheme?: Readonly<Record<string, unknown>>
}

/** A document of OpenAPI 3.0 or 3.1, created by any tool. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths?: object
  readonly components?: object
  readonly security?: readonly object[]
}

/**
 * Returns a copy of an OpenAPI document with everything that the app's guards enforce: the security
 * scheme, the `security` and the scopes of each operation, and the refusals 400, 401, 403 and 503
 * with their bodies and headers. `secure()` finds the guards through the app's own router, so the
 * document cannot differ from the guards. Requirements of other schemes stay in the document.
 *
 * Call `secure()` after the app has registered all routes. A Fastify app must be ready. Does NOT
 * see what only a running request would show:
 *
 * - a guard inside another function, for example a function of hono/combine. `secure()` sees only
 *   the functions that the app registers
 * - whether a function answers, calls `next()` or calls `next('route')`. `secure()` assumes that a
 *   function without the parameter `next` answers, that the last function of a route answers, and
 *   that all other functions call `next`
 * - a guard that runs only for some values of a path parameter. `secure()` tries a few values, and
 *   begins with the `example`, `default` and `enum` of the parameter's schema
 * - a conflict between the guards of two issuers on one route: no request can pass both guards,
 *   because a request has only one token
 *
 * @throws {TypeError} if `document` is not OpenAPI 3.0 or 3.1, or if `app` is not a `SecuredApp`
 * @throws {Error} if an operation has no route, if a different route answers the operation, or if
 *   the guards of a route cannot be found
 */
export function secure<D extends OpenApiDocument>(
  document: D,
  app: SecuredApp,
  options: SecureOptions = {},
): D {
  if (!/^3\.[01]\./.test(document?.openapi)) {
    throw new TypeError(
      'the document for secure() must be OpenAPI 3.0 or 3.1. ' +
        'Fix: with @fastify/swagger, set its option "openapi"',
    )
  }

  const routes = routesOf(app)
  requireOwnSchemes(document.components, options.securityScheme)
  const schemes: OwnSchemes = new Map()
  const secured = structuredClone(document) as D & {
    paths: Record<string, Record<string, unknown>>
    components?: JsonObject
  }

  const isIgnored = ignoring(options.ignore)
  for (const [path, written] of Object.entries(secured.paths ?? {})) {
    if (!isJsonObject(written) || isIgnored(path)) continue

    const item = itemOf(written, path, secured)
    for (const method of methods) {
      const operation = item[method]
      if (!isJsonObject(operation)) continue

      const { guards } = getRoute(routes, method, path, { document: secured, item, operation })
      const changed =
        guards.length > 0
          ? securedOperation(operation, guards, secured.security, schemes)
          : withoutOwnSchemes(operation, secured.security)
      if (changed === operation) continue
      item[method] = changed
      secured.paths[path] = item
    }
  }

  if (schemes.size === 0) return secured
  const { securitySchemes, schemas } = asJsonObject(secured.components)
  const components = {
    ...secured.components,
    securitySchemes: addSchemes(securitySchemes, schemes, options.securityScheme),
    schemas: { ...refusalSchemas, ...asJsonObject(schemas) },
  }
  return { ...secured, components }
}

/** Creates the function that tells whether the option `ignore` names a path. */
export function ignoring(ignored: readonly string[] | undefined): (path: string) => boolean {
  // `/*` means only the route `/*`. If it were a wildcard, it would ignore every route.
  const isWildcard = (one: string): boolean => one.length > 2 && one.endsWith('*')
  return (path) =>
    ignored?.some(
      (one) => one === path || (isWildcard(one) && path.startsWith(one.slice(0, -1))),
    ) ?? false
}

/**
 * Returns a copy of a path item. If the path item has a `$ref`, copies the path item that the
 * `$ref` names. Several paths may share one path item, and `secure()` must change it for one path
 * only.
 *
 * @throws {Error} for a `$ref` that names no path item of this document
 */
function itemOf(written: JsonObject, path: string, document: object): Record<string, unknown> {
  const { $ref: _, ...own } = written
  const shared = resolve(written, document)
  if (!shared) {
    throw new Error(
      `the $ref of ${path} does not lead to a path item of this document: ` +
        'write the operations into the path itself',
    )
  }
  return { ...structuredClone(shared), ...own }
}
