// `describe()` creates an OpenAPI document from the routes of an app.
import { routesOf, type SecuredApp } from './app-routes.ts'
import { ignoring, secure, type OpenApiDocument, type SecureOptions } from './secure.ts'

export interface DocumentInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
}

/**
 * Creates an OpenAPI document for an app that has none. The document lists the routes of the app
 * and the demands of their guards. It does not describe bodies or successful answers. If a route
 * answers all methods, the document lists the methods that APIs commonly use. If the framework adds
 * a HEAD route to a GET route, the document leaves out the HEAD route.
 *
 * Call `describe()` after the app has registered all routes. A Fastify app must be ready. The
 * docstring of `secure` lists what `describe()` does NOT see.
 *
 * @throws {TypeError} if `app` is not an app of Hono, Express or Fastify
 * @throws {Error} for a route whose path or method OpenAPI cannot describe, for a route that never
 *   runs because a different route answers first, and if a guard cannot be found, for example
 *   because a Fastify app is not ready. A path in `ignore` causes no error
 */
export function describe(
  app: SecuredApp,
  info: DocumentInfo,
  options: SecureOptions = {},
): OpenApiDocument {
  const paths: Record<string, Record<string, unknown>> = {}
  const described = new Map<string, string | undefined>()
  for (const { method, template, path } of routesOf(app).list(ignoring(options.ignore))) {
    const operation = `${method.toUpperCase()} ${template}`
    const other = described.get(operation) ?? path
    if (other !== path) {
      throw new Error(
        `the routes ${other} and ${path} are the same operation in a document, ${operation}, ` +
          'which can list only one set of guards. Fix: give their parameters different names',
      )
    }
    described.set(operation, path)

    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const parameters = names.map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    }))

    const operations = (paths[template] ??= parameters.length > 0 ? { parameters } : {})
    operations[method] ??= { responses: { '2XX': { description: 'Done' } } }
  }

  return secure({ openapi: '3.1.1', info, paths }, app, options)
}
