// Finds the route of the app that an operation of a document describes.
import type { JsonObject } from '../base/json.ts'
import { shapeOf, withoutSlash } from '../frameworks/path-templates.ts'
import type { AppRoutes, FoundRoute } from '../frameworks/routes.ts'
import { samplePaths } from './sample-paths.ts'

/**
 * Returns the route that answers an operation of the document.
 *
 * @throws {Error} if the app has no route for the operation, or if a route that the app registered
 *   for a different path would answer the operation
 */
export function getRoute(
  routes: AppRoutes,
  method: string,
  path: string,
  {
    document,
    item,
    operation,
  }: {
    readonly document: { readonly paths?: object }
    readonly item: JsonObject
    readonly operation: JsonObject
  },
): FoundRoute {
  const parameters = [item['parameters'], operation['parameters']].flat()
  let similar: FoundRoute | undefined
  let other: string | undefined

  for (const sample of routes.byTemplate ? [path] : samplePaths(path, parameters, document)) {
    const found = routes.find(method, sample)
    if (!found) continue

    if (found.template === path) return found
    if (mayDescribe(found.template, path, document)) similar ??= found
    else other ??= found.template
  }
  if (similar) return similar

  const name = `${method.toUpperCase()} ${path}`
  const fault =
    other === undefined
      ? `the app has no route for ${name}`
      : `${name} reaches the route ${other} instead, because the app registers that route first`
  const advice = path.includes('{')
    ? 'give each path parameter an example that matches its pattern, or '
    : ''
  throw new Error(`${fault}: ${advice}add the path to "ignore"`)
}

/** Whether the operations that the document lists under `path` may be those of a route. */
function mayDescribe(
  template: string | undefined,
  path: string,
  { paths = {} }: { readonly paths?: object },
): boolean {
  // A route without a template has an unknown path, but it has matched the path of the request.
  if (template === undefined) return true
  // The document may use a different name for a parameter. But if the document also contains the
  // template of this route, `path` must mean a different route.
  const isAnother = Object.hasOwn(paths, template) && withoutSlash(template) !== withoutSlash(path)
  return !isAnother && shapeOf(template) === shapeOf(path)
}
