import {
  ignoring,
  routesOf,
  secure,
  type OpenApiDocument,
  type SecuredApp,
  type SecureOptions,
} from './secure.ts'

export interface DocumentInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
}

/**
 * An OpenAPI document for an app that has none: its routes, with what their guards enforce. It
 * knows nothing of bodies and answers. Of what answers all methods it names those that an API has,
 * and of HEAD only what is not as GET. Call it when all routes are there; a Fastify app has to be
 * ready. For what it does NOT see, see `secure`.
 *
 * @throws {TypeError} for what is no app
 * @throws {Error} for a route whose path or method OpenAPI cannot say, for one that another
 *   answers, and where routes or guards cannot be seen, unless ignored
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
        `${other} and ${path} are both ${operation} in a document, which cannot say what each demands: name their parameters differently`,
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
