// `describe`: creates an OpenAPI document from the routes of an app.
import {
  ignoring,
  routesOf,
  secure,
  type OpenApiDocument,
  type SecuredApp,
  type SecureOptions,
} from './secure.ts'

/** The `info` of a document. */
export interface DocumentInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
}

/**
 * Returns an OpenAPI document for an app that has no such document. The document has the routes of
 * the app and the demands of their guards, but no bodies and no answers. If a route answers all
 * methods, the document lists the methods that APIs commonly use. It leaves out a HEAD route that
 * the framework adds to a GET route.
 *
 * Call it when all routes are registered; a Fastify app must be ready. For what it does NOT see,
 * see `secure`.
 *
 * @throws {TypeError} if `app` is not an app of Hono, Express or Fastify
 * @throws {Error} for a route whose path or method OpenAPI cannot describe, for a route that never
 *   runs because another route answers first, and if routes or guards are unknown. The function
 *   does not throw for a path in `ignore`
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
        `${other} and ${path} are both ${operation} in a document, ` +
          'which has one place for the guards of both: name their parameters differently',
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
